// Markdown as models write it, to elements: CommonMark's common part, tables, task lists. Text stays text: there is no way from here to HTML.
// Time and depth are bounded whatever the text is.
import { h, icon, copy } from './dom.js';
import { highlight } from './highlight.js';

const deepest = 10;

/** Shows a text that may still grow: only blocks that changed are drawn again. */
export class MarkdownView {
  constructor() {
    this.element = h('div', { class: 'markdown' });
    this.shown = [];
  }

  update(text) {
    const blocks = parseBlocks(text.split('\n'), 0);
    for (let i = 0; i < blocks.length; i++) {
      const old = this.shown[i];
      if (old?.source === blocks[i].source && old.type === blocks[i].type && old.open === blocks[i].open) continue;
      if (old && old.type === 'code' && blocks[i].type === 'code' && old.language === blocks[i].language) {
        fillCode(old.element, blocks[i]);
        this.shown[i] = { ...blocks[i], element: old.element };
        continue;
      }
      const element = render(blocks[i], 0);
      if (old) old.element.replaceWith(element);
      else this.element.append(element);
      this.shown[i] = { ...blocks[i], element };
    }
    for (const gone of this.shown.splice(blocks.length)) gone.element.remove();
  }
}

const fence = /^ {0,3}(`{3,}|~{3,})[ \t]*([^\s`]*)/;
const heading = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const quote = /^ {0,3}> ?/;
const bullet = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*)|)$/;
const isBlank = (line) => line.trim() === '';

function isRule(line) {
  const text = line.replaceAll(' ', '').replaceAll('\t', '');
  return text.length >= 3 && '-*_'.includes(text[0]) && text === text[0].repeat(text.length) && !line.startsWith('    ');
}

function cells(line) {
  const found = [''];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '\\' && line[i + 1] === '|') found[found.length - 1] += line[++i];
    else if (line[i] === '|') found.push('');
    else found[found.length - 1] += line[i];
  }
  const trimmed = found.map((cell) => cell.trim());
  if (trimmed.length > 1 && trimmed[0] === '') trimmed.shift();
  if (trimmed.length > 1 && trimmed.at(-1) === '') trimmed.pop();
  return trimmed;
}

const isDivider = (line) => line !== undefined && line.includes('-') && /^[\s|:-]+$/.test(line) && cells(line).every((cell) => /^:?-+:?$/.test(cell));
const startsTable = (lines, i) => lines[i].includes('|') && isDivider(lines[i + 1]) && cells(lines[i]).length === cells(lines[i + 1]).length;
const startsBlock = (line) => fence.test(line) || heading.test(line) || quote.test(line) || isRule(line);

function parseBlocks(lines, depth) {
  const blocks = [];
  let i = 0;
  const add = (block, from) => blocks.push({ ...block, source: lines.slice(from, i).join('\n') });
  while (i < lines.length) {
    const line = lines[i];
    const from = i;
    let match;
    if (isBlank(line)) {
      i++;
    } else if ((match = fence.exec(line))) {
      const [, mark, language] = match;
      for (i++; i < lines.length && !isClosing(lines[i], mark); i++);
      const open = i >= lines.length;
      const content = lines.slice(from + 1, i);
      if (!open) i++;
      add({ type: 'code', language, open, text: content.join('\n') }, from);
    } else if ((match = heading.exec(line))) {
      i++;
      add({ type: 'heading', level: match[1].length, text: (match[2] ?? '').replace(/[ \t]+#+[ \t]*$/, '') }, from);
    } else if (isRule(line)) {
      i++;
      add({ type: 'rule' }, from);
    } else if (quote.test(line) && depth < deepest) {
      const inner = [];
      for (; i < lines.length && !isBlank(lines[i]) && (quote.test(lines[i]) || !startsBlock(lines[i])); i++) {
        inner.push(lines[i].replace(quote, ''));
      }
      add({ type: 'quote', inner }, from);
    } else if (bullet.test(line) && depth < deepest) {
      const list = parseList(lines, i);
      i = list.end;
      add({ type: 'list', ...list }, from);
    } else if (startsTable(lines, i)) {
      const head = cells(lines[i]);
      const align = cells(lines[i + 1]).map((cell) => (cell.endsWith(':') ? (cell.startsWith(':') ? 'center' : 'end') : 'start'));
      const rows = [];
      for (i += 2; i < lines.length && !isBlank(lines[i]) && lines[i].includes('|'); i++) rows.push(cells(lines[i]));
      add({ type: 'table', head, align, rows }, from);
    } else {
      for (i++; i < lines.length && !isBlank(lines[i]) && !startsBlock(lines[i]) && !bullet.test(lines[i]) && !startsTable(lines, i); i++);
      add({ type: 'paragraph', text: lines.slice(from, i).join('\n') }, from);
    }
  }
  return blocks;
}

function isClosing(line, mark) {
  const text = line.trim();
  return text.length >= mark.length && text[0] === mark[0] && text === mark[0].repeat(text.length);
}

function parseList(lines, from) {
  const ordered = /\d/.test(bullet.exec(lines[from])[2]);
  const start = ordered ? parseInt(bullet.exec(lines[from])[2], 10) : null;
  const items = [];
  let loose = false;
  let i = from;
  while (i < lines.length) {
    const match = bullet.exec(lines[i]);
    if (!match || /\d/.test(match[2]) !== ordered || isRule(lines[i])) break;
    const space = match[3] ?? ' ';
    const width = match[1].length + match[2].length + (space.length > 4 ? 1 : space.length);
    const item = [match[4] === undefined ? '' : space.length > 4 ? space.slice(1) + match[4] : match[4]];
    for (i++; i < lines.length; i++) {
      const line = lines[i];
      const indent = line.length - line.trimStart().length;
      if (isBlank(line)) {
        const next = nextText(lines, i);
        if (next === -1 || lines[next].length - lines[next].trimStart().length < Math.min(width, 2)) break;
        item.push('');
      } else if (indent >= width || (indent >= 2 && bullet.test(line.slice(2)))) {
        item.push(line.slice(Math.min(indent, width)));
      } else if (!bullet.test(line) && !startsBlock(line) && !isBlank(lines[i - 1])) {
        item.push(line.trimStart());
      } else {
        break;
      }
    }
    items.push(item);
    const next = i < lines.length && isBlank(lines[i]) ? nextText(lines, i) : -1;
    if (next !== -1) {
      const follows = bullet.exec(lines[next]);
      if (!follows || /\d/.test(follows[2]) !== ordered || isRule(lines[next])) break;
      loose = true;
      i = next;
    }
  }
  return { ordered, start, items, loose, end: i };
}

// A bounded look ahead: a list is not held together over many empty lines.
function nextText(lines, from) {
  for (let i = from; i < Math.min(lines.length, from + 4); i++) {
    if (!isBlank(lines[i])) return i;
  }
  return -1;
}

function render(block, depth) {
  switch (block.type) {
    case 'code': return renderCode(block);
    case 'heading': return withInline(h(`h${Math.min(6, block.level + 2)}`, { class: `heading-${block.level}` }), block.text);
    case 'rule': return h('hr');
    case 'quote': return fill(h('blockquote'), parseBlocks(block.inner, depth + 1), (inner) => render(inner, depth + 1));
    case 'list': return renderList(block, depth);
    case 'table': return renderTable(block);
    default: return withInline(h('p'), block.text);
  }
}

// One by one: there may be more of them than a call takes arguments.
function fill(element, parts, make) {
  for (const part of parts) element.append(make(part));
  return element;
}

function renderList(block, depth) {
  const list = h(block.ordered ? 'ol' : 'ul', { start: block.ordered && block.start !== 1 ? block.start : null });
  for (const lines of block.items) {
    const task = /^\[([ xX])\] +/.exec(lines[0]);
    const item = h('li', { class: task ? 'task' : null });
    if (task) {
      const isOpen = task[1] === ' ';
      item.append(h('span', { class: 'box', role: 'img', 'aria-label': isOpen ? 'open' : 'done', text: isOpen ? '☐' : '☑' }), ' ');
    }
    const inner = parseBlocks(task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines, depth + 1);
    for (const part of inner) {
      if (part.type === 'paragraph' && !block.loose) withInline(item, part.text);
      else item.append(render(part, depth + 1));
    }
    list.append(item);
  }
  return list;
}

function renderTable({ head, align, rows }) {
  const row = (tag, texts) => fill(h('tr'), head.keys(), (i) => withInline(h(tag, { class: `cell-${align[i] ?? 'start'}` }), texts[i] ?? ''));
  return h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Table' },
    h('table', {}, h('thead', {}, row('th', head)), fill(h('tbody'), rows, (texts) => row('td', texts))));
}

function renderCode(block) {
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': 'Copy the code' }, icon('copy'), 'Copy');
  const figure = h('figure', { class: 'code-block' },
    h('figcaption', {}, h('span', { text: block.language || 'text' }), button),
    h('pre', { tabindex: '0', role: 'region', 'aria-label': `Code${block.language ? `, ${block.language}` : ''}` }, h('code')));
  button.addEventListener('click', () => copy(figure.querySelector('code').textContent, button));
  fillCode(figure, block);
  return figure;
}

function fillCode(figure, block) {
  figure.querySelector('code').replaceChildren(...highlight(block.text, block.language));
}

function withInline(element, text) {
  inline(text, element, 0);
  return element;
}

const punctuation = /[!-/:-@[-`{-~]/;
const address = /https?:\/\/[^\s<>"'`\\^{}|]+/y;
const isWord = (character) => character !== undefined && /[\p{L}\p{N}_]/u.test(character);

/** Writes a text with its emphasis, code and links into an element. */
export function inline(text, parent, depth) {
  const failed = new Set();                                 // marks that do not close from here on: looked for once
  const ahead = new Map();                                  // where the next of a text is: looked for once too
  let plain = '';
  let i = 0;
  const next = (what) => {
    let at = ahead.get(what) ?? 0;
    if (at >= 0 && at < i) at = -2;
    if (at === -2 || !ahead.has(what)) ahead.set(what, (at = text.indexOf(what, i)));
    return at;
  };
  const flush = () => {
    if (plain !== '') parent.append(plain);
    plain = '';
  };
  const wrap = (tag, inner) => {
    flush();
    const element = h(tag);
    inline(inner, element, depth + 1);
    parent.append(element);
  };
  while (i < text.length) {
    const c = text[i];
    if (c === '\\' && i + 1 < text.length && (punctuation.test(text[i + 1]) || text[i + 1] === '\n')) {
      if (text[i + 1] === '\n') {
        flush();
        parent.append(h('br'));
      } else {
        plain += text[i + 1];
      }
      i += 2;
    } else if (c === '`') {
      const mark = runOf(text, i);
      const close = failed.has(mark) ? -1 : closingRun(text, i + mark.length, mark);
      if (close < 0) {
        failed.add(mark);
        plain += mark;
        i += mark.length;
      } else {
        flush();
        const code = text.slice(i + mark.length, close).replaceAll('\n', ' ');
        const isPadded = code.length > 2 && code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '';
        parent.append(h('code', { text: isPadded ? code.slice(1, -1) : code }));
        i = close + mark.length;
      }
    } else if ((c === '*' || c === '_' || (c === '~' && text[i + 1] === '~')) && depth < deepest) {
      const run = runOf(text, i);
      const mark = run.slice(0, c === '~' ? 2 : Math.min(run.length, 2));
      const opens = run.length <= 3 && /\S/.test(text[i + run.length] ?? ' ') && !(c === '_' && isWord(text[i - 1]));
      const close = !opens || failed.has(mark) ? -1 : closingMark(text, i + mark.length, mark);
      if (close < 0) {
        if (opens) failed.add(mark);
        plain += run;
        i += run.length;
      } else {
        wrap(c === '~' ? 'del' : mark.length === 2 ? 'strong' : 'em', text.slice(i + mark.length, close));
        i = close + mark.length;
      }
    } else if (c === '[' || (c === '!' && text[i + 1] === '[')) {
      const link = depth < deepest ? linkAt(text, c === '!' ? i + 1 : i, next('](')) : null;
      if (link) {
        flush();
        parent.append(anchor(link.address, link.label, depth));
        i = link.end;
      } else {
        plain += c;
        i++;
      }
    } else if (c === '<') {
      const end = next('>');
      const inside = end > 0 && end - i < 2000 ? text.slice(i + 1, end) : '';
      if (/^br ?\/?$/i.test(inside)) {
        flush();
        parent.append(h('br'));
        i = end + 1;
      } else if (/^(https?:\/\/|mailto:)[^\s<]+$/.test(inside)) {
        flush();
        parent.append(anchor(inside, null, depth));
        i = end + 1;
      } else {
        plain += c;
        i++;
      }
    } else if (c === 'h' && text.startsWith('http', i) && !isWord(text[i - 1])) {
      address.lastIndex = i;
      const found = address.exec(text)?.[0].replace(/[.,;:!?*_~)\]]+$/, '') ?? '';
      if (found === '') {
        plain += c;
        i++;
      } else {
        flush();
        parent.append(anchor(found, null, depth));
        i += found.length;
      }
    } else if (c === '\n') {
      const isHard = plain.endsWith('  ');
      plain = plain.trimEnd();
      if (isHard) {
        flush();
        parent.append(h('br'));
      } else {
        plain += '\n';
      }
      i++;
    } else {
      plain += c;
      i++;
    }
  }
  flush();
}

function runOf(text, from) {
  let end = from + 1;
  while (text[end] === text[from]) end++;
  return text.slice(from, end);
}

function closingRun(text, from, mark) {
  for (let i = text.indexOf('`', from); i >= 0; i = text.indexOf('`', i)) {
    const run = runOf(text, i);
    if (run.length === mark.length) return i;
    i += run.length;
  }
  return -1;
}

function closingMark(text, from, mark) {
  for (let i = text.indexOf(mark[0], from); i >= 0; i = text.indexOf(mark[0], i)) {
    const run = runOf(text, i);
    const fits = mark.length === 1 ? run.length === 1 || run.length === 3 : run.length >= 2;
    const closes = i > from && /\S/.test(text[i - 1]) && !(mark[0] === '_' && isWord(text[i + run.length]));
    if (fits && closes) return i + run.length - mark.length;
    i += run.length;
  }
  return -1;
}

// A link that starts here, where the next `](` is known; null: none.
function linkAt(text, from, middle) {
  if (middle < from || middle - from > 500) return null;
  let open = 0;
  for (let i = from; i < middle; i++) {
    if (text[i] === '[') open++;
    if (text[i] === ']') open--;
  }
  if (open !== 1) return null;
  let round = 1;
  for (let i = middle + 2; i < Math.min(text.length, middle + 2000); i++) {
    if (text[i] === '\n') return null;
    if (text[i] === '(') round++;
    if (text[i] === ')' && --round === 0) {
      const target = /^<?(\S*?)>?(?:\s+["'(].*)?$/.exec(text.slice(middle + 2, i).trim());
      return target ? { label: text.slice(from + 1, middle), address: target[1], end: i + 1 } : null;
    }
  }
  return null;
}

// Only to addresses that a browser opens as pages or as mail; of others the text is shown.
function anchor(target, label, depth) {
  const isSafe = /^(https?:\/\/|mailto:)/i.test(target);
  const element = isSafe ? h('a', { href: target, target: '_blank', rel: 'noopener noreferrer' }) : h('span');
  if (label === null) element.textContent = target;
  else inline(label, element, depth + 1);
  return element;
}
