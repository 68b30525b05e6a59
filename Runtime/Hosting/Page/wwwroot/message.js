// One message on the page. A reply is updated in place while it grows: what the reader has opened or selected stays so.
import { copy, h, icon, iconButton } from './dom.js';
import { MarkdownView } from './markdown.js';

/** What the user said. */
export function userMessage(message, actions) {
  const text = h('div', { class: 'said', text: message.content });
  const tools = h('div', { class: 'actions' },
    iconButton('edit', 'Edit and send again', () => edit()),
    iconButton('copy', 'Copy', (event) => copy(message.content, event.currentTarget)));
  const element = h('article', { class: 'message user', 'aria-label': 'You' }, text, tools);

  function edit() {
    const area = h('textarea', { rows: 3, 'aria-label': 'Edit the message' });
    area.value = message.content;
    const back = () => {
      element.replaceChildren(text, tools);
      element.classList.remove('editing');
      tools.firstChild.focus();
    };
    const form = h('form', { class: 'edit', onsubmit: (event) => {
      event.preventDefault();
      if (area.value.trim() !== '') actions.edit(message, area.value.trim());
    } }, area, h('div', { class: 'row end' },
      h('button', { type: 'button', class: 'quiet', text: 'Cancel', onclick: back }), h('button', { class: 'primary', text: 'Send' })));
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        back();
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    element.classList.add('editing');
    element.replaceChildren(form);
    area.focus();
  }
  return { element, update() {} };
}

/** What the model answered: thinking, text, calls, how it ended. */
export class ReplyView {
  constructor(message, actions) {
    this.message = message;
    this.actions = actions;
    this.thinkingText = h('div', { class: 'thinking-text' });
    this.thinkingLabel = h('span');
    this.thinking = h('details', { class: 'thinking', hidden: true },
      h('summary', {}, icon('chevron'), this.thinkingLabel), this.thinkingText);
    this.text = new MarkdownView();
    this.calls = h('div', { class: 'calls' });
    this.cards = [];
    this.wait = h('div', { class: 'wait', role: 'img', 'aria-label': 'Waiting for the reply' }, h('i'), h('i'), h('i'), h('i'));
    this.note = h('div', { class: 'ended' });
    this.foot = h('div', { class: 'actions' });
    this.element = h('article', { class: 'message reply', 'aria-label': 'Reply' },
      this.thinking, this.text.element, this.calls, this.wait, this.note, this.foot);
    this.state = '';
  }

  /** Shows it as it is. `results`: what tools gave, by the call's id. */
  update({ running, isLast, results }) {
    const { message } = this;
    const { thought, said, isThinking } = parts(message, running);
    this.thinking.hidden = thought === '';
    this.thinking.classList.toggle('live', isThinking);
    this.thinkingLabel.textContent = isThinking ? 'Thinking'
      : message.thought >= 100 ? `Thought for ${duration(message.thought)}` : 'Thoughts';
    if (this.thinkingText.textContent !== thought) this.thinkingText.textContent = thought;
    this.text.update(said);
    this.showCalls(running, results, isLast);
    this.wait.hidden = !running || said !== '' || message.calls.length > 0 || thought !== '';
    this.element.classList.toggle('running', running);
    this.element.setAttribute('aria-busy', String(running));
    const state = `${running} ${isLast} ${message.finish} ${message.error}`;
    if (state !== this.state) this.showEnd(running, isLast);
    this.state = state;
  }

  showCalls(running, results, isLast) {
    this.message.calls.forEach((call, i) => {
      if (!call) return;
      this.cards[i] ??= this.addCard(call);
      this.cards[i].update(running, results.get(call.id), isLast);
    });
  }

  addCard(call) {
    const card = new CallCard(call, (text) => this.actions.result(call, text));
    this.calls.append(card.element);
    return card;
  }

  showEnd(running, isLast) {
    const { message, actions } = this;
    this.note.replaceChildren();
    this.foot.replaceChildren();
    if (running) return;
    const text = message.error ?? ends[message.finish ?? 'unfinished'];
    if (message.error) this.note.append(h('p', { class: 'error', role: 'alert' }, icon('alert'), text));
    else if (text) this.note.append(h('p', { class: 'note', text }));
    if (isLast && actions.again) {
      this.foot.append(message.error ? h('button', { type: 'button', class: 'quiet again', onclick: actions.again }, icon('again'), 'Try again')
        : iconButton('again', 'Regenerate', actions.again, { class: 'icon-button again' }));
    }
    if (message.content !== '') this.foot.append(iconButton('copy', 'Copy', (event) => copy(message.content, event.currentTarget)));
    const figures = figuresOf(message);
    if (figures) this.foot.append(h('span', { class: 'figures', text: figures }));
  }
}

const ends = {
  stopped: 'Stopped.',
  length: 'The reply reached the most tokens it may have.',
  abort: 'The server ended the reply.',
  error: 'The server failed at this reply.',
  repetition: 'Ended, because it repeated itself.',
  unfinished: 'The reply was left before it was complete.',
};

// Some servers leave the thinking in the text, in its marks.
function parts(message, running) {
  const { content, reasoning } = message;
  if (reasoning === '' && content.startsWith('<think>')) {
    const end = content.indexOf('</think>');
    const isThinking = end < 0 && running;
    return { thought: content.slice(7, end < 0 ? undefined : end).trim(), said: end < 0 ? '' : content.slice(end + 8).trimStart(), isThinking };
  }
  return { thought: reasoning.trim(), said: content, isThinking: running && reasoning !== '' && content === '' && message.calls.length === 0 };
}

function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function figuresOf({ usage, time }) {
  if (!usage?.reply) return '';
  const parts = [`${usage.reply.toLocaleString('en')} tokens`];
  const rate = time && time.reply > 0 ? (usage.reply - 1) / time.reply * 1000 : 0;
  if (rate > 0) parts.push(`${rate.toFixed(rate < 20 ? 1 : 0)} a second`);
  if (time) parts.push(`first after ${duration(time.first)}`);
  return parts.join(' · ');
}

/** A tool that the model calls, and what it gives. */
class CallCard {
  constructor(call, give) {
    this.call = call;
    this.name = h('code', { class: 'call-name' });
    this.given = h('pre', { class: 'call-arguments', tabindex: '0', 'aria-label': 'Arguments' });
    this.area = h('textarea', { rows: 2, class: 'code', spellcheck: 'false', 'aria-label': 'Result of the call',
      placeholder: 'What the tool gives back' });
    this.form = h('form', { class: 'call-form', hidden: true, onsubmit: (event) => {
      event.preventDefault();
      give(this.area.value);
    } }, this.area, h('div', { class: 'row end' }, h('button', { class: 'primary', text: 'Give the result' })));
    this.result = h('pre', { class: 'call-result', tabindex: '0', 'aria-label': 'Result', hidden: true });
    this.state = h('span', { class: 'call-state' });
    this.area.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.form.requestSubmit();
      }
    });
    this.element = h('section', { class: 'call', 'aria-label': 'Tool call' },
      h('header', {}, icon('tool'), this.name, this.state), this.given, this.result, this.form);
  }

  update(running, result, isLast) {
    this.name.textContent = this.call.name;
    const text = pretty(this.call.arguments);
    if (this.given.textContent !== text) this.given.textContent = text;
    this.given.hidden = text === '' || text === '{}';
    const isGiven = result !== undefined;
    this.form.hidden = running || isGiven || !isLast;
    this.result.hidden = !isGiven;
    if (isGiven && this.result.textContent !== result) this.result.textContent = result;
    this.state.textContent = running ? 'calling' : isGiven ? 'answered' : 'waits for its result';
    this.element.classList.toggle('open', !running && !isGiven);
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
