// Elements and icons, made by calls: no text of anybody's is ever read as HTML.

export const $ = (id) => document.getElementById(id);

/**
 * Makes an element. `on*` properties are listeners, `text` is its text, false and null are left out, everything else is an attribute.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const svg = 'http://www.w3.org/2000/svg';

export function s(tag, attributes = {}) {
  const element = document.createElementNS(svg, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const lines = {
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  menu: 'M4 7h16M4 12h16M4 17h10',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  check: 'M5 13l4 4L19 7',
  again: 'M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4',
  edit: 'M5 19h4L19 9l-4-4L5 15zM13 7l4 4',
  trash: 'M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.5 11v5M13.5 11v5',
  sliders: 'M4 8h8M18 8h2M4 16h2M12 16h8M15 5.5v5M9 13.5v5',
  chevron: 'M9 6l6 6-6 6',
  tool: 'M14.5 6.5a4 4 0 0 0-5.2 5.2L4 17l3 3 5.3-5.3a4 4 0 0 0 5.2-5.2L15 12l-3-3z',
  alert: 'M12 8v5M12 16.5v.01M12 3.5l9 16H3z',
};

/** An icon, hidden from screen readers: what carries it has a label. */
export function icon(name) {
  if (name === 'mark') return mark();
  const image = s('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' });
  image.append(name === 'stop' ? s('rect', { x: 7, y: 7, width: 10, height: 10, rx: 2, class: 'solid' }) : s('path', { d: lines[name] }));
  return image;
}

// A block of a quilt: a pinwheel around a square.
function mark() {
  const image = s('svg', { viewBox: '0 0 28 28', class: 'mark-image', 'aria-hidden': 'true', focusable: 'false' });
  image.append(
    s('path', { class: 'mark-a', d: 'M0 0h14v14zM28 0v14H14zM28 28H14V14zM0 28V14h14z' }),
    s('path', { class: 'mark-b', d: 'M0 0v14h14zM28 0H14v14zM28 28V14H14zM0 28h14V14z' }),
    s('path', { class: 'mark-c', d: 'm14 8 6 6-6 6-6-6z' }));
  return image;
}

/** Puts the icons where the page's HTML asks for them. */
export function fillIcons(root = document) {
  for (const place of root.querySelectorAll('[data-icon]')) place.prepend(icon(place.dataset.icon));
}

/** A button with an icon and a label that is read out and shown when the pointer rests on it. */
export function iconButton(name, label, onclick, properties = {}) {
  return h('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...properties }, icon(name));
}

/** Says something to those who listen to the page. */
export function announce(text) {
  $('status').textContent = text;
}

/** Shows a line at the foot for some seconds, with an action if there is one. */
export function toast(text, action = null, run = null) {
  const line = h('div', { class: 'toast' }, h('span', { text }));
  const gone = () => line.remove();
  if (action) {
    line.append(h('button', { type: 'button', class: 'link', text: action, onclick: () => { gone(); run(); } }));
  }
  $('toasts').replaceChildren(line);
  setTimeout(gone, 8000);
}

/** Copies; also where a page without TLS has no clipboard of its own. */
export async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { class: 'hidden', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
    button.focus();
  }
  const before = [...button.childNodes];
  button.replaceChildren(icon('check'), ...before.filter((node) => node.nodeType === Node.TEXT_NODE));
  announce('Copied');
  setTimeout(() => button.replaceChildren(...before), 1500);
}
