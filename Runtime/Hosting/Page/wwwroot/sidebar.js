// The list of conversations, and the drawer that it is on a narrow screen.
import { $, h, icon, iconButton, toast } from './dom.js';
import * as store from './store.js';

const day = 24 * 60 * 60 * 1000;

export class Sidebar {
  constructor(chat) {
    this.chat = chat;
    this.waiting = null;
    this.narrow = matchMedia('(max-width: 52rem)');
    $('new-chat').addEventListener('click', async () => {
      await chat.open(null);
      this.close(false);
      $('prompt').focus();
    });
    $('sidebar-open').addEventListener('click', () => this.open());
    $('sidebar-close').addEventListener('click', () => this.close());
    $('backdrop').addEventListener('click', () => this.close());
    this.narrow.addEventListener('change', () => this.close(false));
  }

  get isOpen() {
    return document.body.classList.contains('drawer');
  }

  open() {
    document.body.classList.add('drawer');
    $('sidebar-open').setAttribute('aria-expanded', 'true');
    document.querySelector('.main').inert = true;
    $('sidebar-close').focus();
  }

  close(giveFocus = true) {
    if (!this.isOpen) return;
    document.body.classList.remove('drawer');
    $('sidebar-open').setAttribute('aria-expanded', 'false');
    document.querySelector('.main').inert = false;
    if (giveFocus) $('sidebar-open').focus();
  }

  /** Draws the list again, soon: many changes in a row are one. */
  changed() {
    this.waiting ??= setTimeout(() => {
      this.waiting = null;
      this.draw();
    }, 60);
  }

  async draw() {
    const heads = await store.list().catch(() => []);
    const nav = $('conversations');
    const focused = nav.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const groups = new Map();
    for (const head of heads) {
      const name = groupOf(head.updated);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(this.row(head));
    }
    nav.replaceChildren(...[...groups].map(([name, rows]) => h('section', { 'aria-label': name }, h('h2', { text: name }), h('ul', {}, ...rows))));
    if (heads.length === 0) nav.append(h('p', { class: 'note', text: 'Conversations are kept in this browser, and nowhere else.' }));
    if (focused) nav.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  row({ id, title }) {
    const isCurrent = id === this.chat.current.id;
    const name = title || 'Untitled';
    const button = h('button', { type: 'button', class: 'conversation', 'aria-current': isCurrent ? 'true' : null, 'data-key': id, title: name,
      onclick: async () => {
        await this.chat.open(id);
        this.close();
      } }, h('span', { class: 'title', text: name }));
    if (this.chat.isRunning(id)) button.append(h('span', { class: 'pulse', role: 'img', 'aria-label': 'replying' }));
    return h('li', {}, button, iconButton('trash', `Delete “${name}”`, () => this.remove(id, name), { 'data-key': `${id}-delete` }));
  }

  async remove(id, name) {
    const kept = await store.get(id);
    if (this.chat.isRunning(id)) [...this.chat.runs].find(([conversation]) => conversation.id === id)[1].abort();
    await store.remove(id);
    if (this.chat.current.id === id) await this.chat.open(null);
    this.changed();
    $('new-chat').focus();
    toast(`“${name}” is deleted.`, kept && 'Undo', async () => {
      await store.put({ ...kept, revision: 0 });
      this.changed();
    });
  }
}

function groupOf(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (time >= midnight) return 'Today';
  if (time >= midnight - day) return 'Yesterday';
  return time >= midnight - 6 * day ? 'This week' : 'Earlier';
}

/** An empty conversation. */
export function emptyView(model) {
  return h('div', { class: 'welcome' },
    h('span', { class: 'mark large' }, icon('mark')),
    h('h1', { text: 'Begin a conversation' }),
    h('p', { text: model ? `${model} answers, on this server.` : 'No model answers yet.' }));
}
