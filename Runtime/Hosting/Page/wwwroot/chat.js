// The chat: the conversation that is shown, the replies that run, and what the composer does.
import { ApiError } from './api.js';
import { newConversation, newReply, noResult, openCalls, reply, titleOf } from './conversation.js';
import { $, announce, toast } from './dom.js';
import { ReplyView, userMessage } from './message.js';
import { chosenModel } from './settings.js';
import * as store from './store.js';

const near = 90;                                            // pixels from the end that still count as being there
const draft = 'quilt.draft';

export class Chat {
  /** `askKey()` resolves to whether there is a new key; `listChanged()` is told of every change that the list shows. */
  constructor({ askKey, listChanged, opened, emptyView }) {
    Object.assign(this, { askKey, listChanged, opened, emptyView });
    this.current = newConversation();
    this.runs = new Map();                                  // conversation -> AbortController
    this.views = new WeakMap();                             // message -> view
    this.frame = 0;
    this.isAtEnd = true;
    this.scroll = $('scroll');
    this.prompt = $('prompt');
    this.setUpComposer();
    this.scroll.addEventListener('scroll', () => this.scrolled(), { passive: true });
    $('to-end').addEventListener('click', () => this.toEnd());
    store.onChange((change) => this.changedElsewhere(change));
  }

  get run() {
    return this.runs.get(this.current);
  }

  isRunning(id) {
    return [...this.runs.keys()].some((conversation) => conversation.id === id);
  }

  /** Shows a conversation; null: a new one. False: there is none of that id. */
  async open(id) {
    const running = [...this.runs.keys()].find((conversation) => conversation.id === id);
    const next = id === null ? newConversation() : running ?? (await store.get(id));
    if (!next) return false;
    this.current = next;
    this.isAtEnd = true;
    this.sync();
    this.opened(next.messages.length > 0 ? next.id : null);
    return true;
  }

  setUpComposer() {
    const { prompt } = this;
    try {
      prompt.value = sessionStorage.getItem(draft) ?? '';
    } catch {
      // No draft is kept.
    }
    prompt.addEventListener('input', () => this.typed());
    prompt.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      $('composer').requestSubmit();
    });
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    $('stop').addEventListener('click', () => this.stop());
    this.typed();
  }

  typed() {
    const { prompt } = this;
    prompt.style.height = 'auto';
    prompt.style.height = `${prompt.scrollHeight}px`;
    $('send').disabled = prompt.value.trim() === '';
    try {
      sessionStorage.setItem(draft, prompt.value);
    } catch {
      // As above.
    }
  }

  send() {
    const text = this.prompt.value.trim();
    if (text === '' || this.run) return;
    this.prompt.value = '';
    this.typed();
    const { messages } = this.current;
    for (const call of openCalls(this.current)) messages.push({ role: 'tool', callId: call.id, content: noResult });
    if (this.current.title === '') this.current.title = titleOf(text);
    messages.push({ role: 'user', content: text, at: Date.now() });
    this.answer();
  }

  stop() {
    this.run?.abort();
  }

  /** The last reply again: what came from it goes. */
  again() {
    const { messages } = this.current;
    if (this.run) return;
    const at = messages.findLastIndex((message) => message.role === 'assistant');
    if (at >= 0) messages.length = at;
    if (messages.length > 0) this.answer();
  }

  edit(message, text) {
    const { messages } = this.current;
    const at = messages.indexOf(message);
    if (this.run || at < 0) return;
    messages.length = at;
    if (at === 0) this.current.title = titleOf(text);
    messages.push({ role: 'user', content: text, at: Date.now() });
    this.answer();
    this.prompt.focus();
  }

  /** What a tool gave. With the last one the model goes on. */
  result(call, text) {
    if (this.run) return;
    this.current.messages.push({ role: 'tool', callId: call.id, content: text });
    if (openCalls(this.current).length === 0) {
      this.answer();
      this.prompt.focus();
    } else {
      this.keep(this.current);
      this.sync();
      $('messages').querySelector('.call.open textarea')?.focus();
    }
  }

  async answer() {
    const conversation = this.current;
    const before = [...conversation.messages];
    const message = newReply();
    const abort = new AbortController();
    conversation.messages.push(message);
    conversation.updated = Date.now();
    this.runs.set(conversation, abort);
    this.isAtEnd = true;
    this.keep(conversation).then(() => conversation === this.current && this.opened(conversation.id));
    this.sync();
    announce('Waiting for the reply');
    const saving = setInterval(() => this.keep(conversation), 1500);
    let refused = false;
    try {
      await reply(chosenModel(), before, message, abort.signal, () => this.paint(conversation));
    } catch (error) {
      if (error.name === 'AbortError') {
        message.finish = 'stopped';
      } else {
        message.finish = 'failed';
        message.error = error instanceof ApiError ? error.message : `The reply cannot be read: ${error.message}`;
        refused = error.status === 401;
      }
    } finally {
      clearInterval(saving);
      this.runs.delete(conversation);
    }
    if (message.thinkingSince !== undefined) {
      message.thought ??= performance.now() - message.thinkingSince;
      delete message.thinkingSince;
    }
    message.calls = message.calls.filter((call) => call);
    conversation.updated = Date.now();
    await this.keep(conversation);
    if (conversation !== this.current) return;
    this.sync();
    this.opened(conversation.id);
    announce(spoken(message));
    if (refused && (await this.askKey()) && conversation === this.current) this.again();
  }

  /** Keeps a conversation; what cannot be kept is said, once. */
  async keep(conversation) {
    try {
      const { id } = conversation;
      await store.put(conversation);
      if (conversation.id !== id) {
        toast('Another tab changed this conversation too: both are kept.');
        if (conversation === this.current) this.opened(conversation.id);
      }
    } catch {
      if (!this.hasWarned) toast('This browser keeps no more conversations: this one is gone with the tab.');
      this.hasWarned = true;
    }
    this.listChanged();
  }

  async changedElsewhere({ changed, removed }) {
    this.listChanged();
    const { current } = this;
    if (this.run || current.messages.length === 0) return;
    if (removed === current.id) current.revision = 0;        // stays on this page; kept again if it goes on
    if (changed !== current.id) return;
    const newer = await store.get(changed);
    if (newer && current === this.current && !this.run) {
      this.current = newer;
      this.sync();
    }
  }

  viewOf(message) {
    let view = this.views.get(message);
    if (!view) {
      view = message.role === 'user' ? userMessage(message, { edit: (...which) => this.edit(...which) })
        : new ReplyView(message, { again: () => this.again(), result: (call, text) => this.result(call, text) });
      this.views.set(message, view);
    }
    return view;
  }

  /** Draws all of the conversation. */
  sync() {
    const list = $('messages');
    const { messages } = this.current;
    const shown = messages.filter((message) => message.role !== 'tool');
    const views = shown.map((message) => this.viewOf(message));
    const elements = views.length > 0 ? views.map((view) => view.element) : [this.emptyView()];
    let same = 0;
    while (same < elements.length && list.children[same] === elements[same]) same++;
    while (list.children.length > same) list.lastChild.remove();
    list.append(...elements.slice(same));
    const results = new Map(messages.filter((message) => message.role === 'tool').map((message) => [message.callId, message.content]));
    views.forEach((view, i) => view.update({ running: Boolean(this.run) && i === views.length - 1, isLast: i === views.length - 1, results }));
    const isRunning = Boolean(this.run);
    const hadFocus = document.activeElement === $('stop') || document.activeElement === $('send');
    $('stop').hidden = !isRunning;
    $('send').hidden = isRunning;
    $('hint-idle').hidden = isRunning;
    $('hint-running').hidden = !isRunning;
    if (hadFocus) (isRunning ? $('stop') : this.prompt).focus();
    $('panel-chat').classList.toggle('empty', views.length === 0);
    if (this.isAtEnd) this.toEnd();
    this.scrolled();
  }

  /** Draws the reply that grows, once a frame at most. */
  paint(conversation) {
    if (conversation !== this.current || this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const message = this.current.messages.at(-1);
      if (!this.run || message?.role !== 'assistant') return;
      this.viewOf(message).update({ running: true, isLast: true, results: new Map() });
      if (this.isAtEnd) this.toEnd();
    });
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    this.isAtEnd = scrollHeight - scrollTop - clientHeight < near;
    $('to-end').hidden = this.isAtEnd;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}

function spoken(message) {
  if (message.error) return `Error: ${message.error}`;
  if (message.calls.length > 0) {
    return `The model calls ${message.calls.map((call) => call.name).join(', ')}. Give the result above the message field.`;
  }
  if (message.finish === 'stopped') return 'Stopped';
  return `Reply: ${message.content.length > 600 ? `${message.content.slice(0, 600)}… The rest is in the conversation.` : message.content}`;
}
