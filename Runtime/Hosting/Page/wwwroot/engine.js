// The Engine tab: what the server does now, half a second at a time. Listens only while it is looked at.
import { ask, events } from './api.js';
import { h, s } from './dom.js';

const window_ = 60;                                         // seconds that lanes and the curve show
const mostRows = 48;

export class EngineView {
  constructor(element, askKey) {
    this.element = element;
    this.askKey = askKey;
    this.panels = new Map();
    this.listening = null;
    this.note = h('p', { class: 'engine-note', role: 'status' });
    this.body = h('div', { class: 'engine-body' });
    element.append(h('div', { class: 'engine-page' }, this.note, this.body));
    document.addEventListener('visibilitychange', () => this.look());
  }

  /** Listens if it can be seen, and not if not. */
  look() {
    const isSeen = !this.element.hidden && document.visibilityState === 'visible';
    if (isSeen && !this.listening) {
      this.listening = new AbortController();
      this.listen(this.listening.signal);
    } else if (!isSeen && this.listening) {
      this.listening.abort();
      this.listening = null;
    }
  }

  async listen(signal) {
    for (let wait = 1; !signal.aborted; wait = Math.min(wait * 2, 10)) {
      try {
        const response = await ask('engine/events', { signal });
        for await (const data of events(response)) {
          wait = 1;
          this.show(JSON.parse(data));
        }
        this.say('The server ended the feed. Trying again …');
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401) {
          if (await this.askKey()) continue;
          this.say('The engine is shown to those who have a key.');
          if (this.listening?.signal === signal) this.listening = null;
          return;
        }
        this.say(`${error.message} Trying again …`);
      }
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }

  say(text) {
    if (this.note.textContent !== text) this.note.textContent = text;
    this.element.classList.toggle('stale', text !== '');
  }

  show({ now, models }) {
    this.say('');
    for (const model of models) {
      let panel = this.panels.get(model.name);
      if (!panel) {
        panel = new ModelPanel(model.name);
        this.panels.set(model.name, panel);
        this.body.append(panel.element);
      }
      panel.update(model, now);
    }
  }
}

class ModelPanel {
  constructor(name) {
    this.points = [];
    this.rows = new Map();
    this.state = h('span', { class: 'model-state' });
    this.figures = {
      running: figure('Running'), waiting: figure('Waiting'), generated: figure('Tokens a second'), prompt: figure('Prompt tokens a second'),
      first: figure('Time to first token', 'median of the last requests'), cache: figure('Cache in use', '', true),
      hits: figure('Found in the cache', '', true), total: figure('Requests'),
    };
    this.area = s('path', { class: 'curve-area' });
    this.line = s('path', { class: 'curve-line' });
    const curve = s('svg', { viewBox: '0 0 600 96', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    curve.append(this.area, this.line);
    this.top = h('span', { class: 'curve-top' });
    this.lanes = h('ol', { class: 'lanes', 'aria-label': 'Requests' });
    this.more = h('p', { class: 'note', hidden: true });
    this.none = h('p', { class: 'note', text: 'No request in the last minute.' });
    this.element = h('section', { class: 'model-panel', 'aria-label': name },
      h('header', {}, h('h2', { text: name }), this.state),
      h('dl', { class: 'figures-grid' }, ...Object.values(this.figures).map((one) => one.element)),
      h('figure', { class: 'curve' }, h('figcaption', {}, h('span', { text: 'Tokens a second, the last minute' }), this.top), curve),
      h('div', { class: 'lanes-card' },
        h('header', {}, h('h3', { text: 'Requests' }),
          h('ul', { class: 'legend', 'aria-hidden': 'true' },
            ...['waiting', 'reading the prompt', 'generating'].map((text, i) => h('li', { class: `key-${['wait', 'read', 'write'][i]}`, text })))),
        this.lanes, this.more, this.none,
        h('div', { class: 'axis', 'aria-hidden': 'true' }, ...['60 s ago', '45', '30', '15', 'now'].map((text) => h('span', { text })))));
  }

  update(model, now) {
    const { figures } = this;
    this.state.textContent = model.loaded ? '' : 'not loaded';
    this.element.classList.toggle('unloaded', !model.loaded);
    figures.running.set(count(model.running));
    figures.waiting.set(count(model.waiting));
    figures.generated.set(rate(model.generatedRate));
    figures.prompt.set(rate(model.promptRate));
    figures.first.set(model.timeToFirstToken === null ? '–' : seconds(model.timeToFirstToken));
    figures.cache.set(percent(model.cacheUsage), `${count(model.blocksUsed)} of ${count(model.blocks)} blocks`, model.cacheUsage);
    figures.hits.set(percent(model.hitRate), `${count(model.prefixHits)} of ${count(model.prefixQueries)} tokens`, model.hitRate);
    figures.total.set(count(model.finished),
      model.preemptions > 0 ? `${count(model.preemptions)} computed again` : `${count(model.generatedTokens)} tokens written`);
    this.drawCurve(model.generatedRate, now);
    this.drawLanes(model, now);
  }

  drawCurve(value, now) {
    this.points.push({ at: now, value });
    while (this.points[0].at < now - window_ * 1000 - 1000) this.points.shift();
    const top = Math.max(10, ...this.points.map((point) => point.value)) * 1.1;
    const path = this.points.map(({ at, value: height }, i) =>
      `${i === 0 ? 'M' : 'L'}${(600 - (now - at) / (window_ * 1000) * 600).toFixed(1)} ${(94 - height / top * 90).toFixed(1)}`).join('');
    const start = (600 - (now - this.points[0].at) / (window_ * 1000) * 600).toFixed(1);
    this.line.setAttribute('d', path);
    this.area.setAttribute('d', `${path}L600 96L${start} 96Z`);
    this.top.textContent = `peak ${rate(Math.max(...this.points.map((point) => point.value)))}`;
  }

  drawLanes({ lanes, running, waiting }, now) {
    const seen = lanes.filter((lane) => lane.ended === null || lane.ended > now - window_ * 1000).sort((a, b) => b.id - a.id);
    const live = seen.filter((lane) => lane.ended === null);
    const over = seen.filter((lane) => lane.ended !== null);
    const shown = [...live, ...over].slice(0, mostRows).sort((a, b) => b.id - a.id);
    const ids = new Set(shown.map((lane) => lane.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    shown.forEach((lane, i) => {
      let row = this.rows.get(lane.id);
      if (!row) {
        row = new Lane(lane.id);
        this.rows.set(lane.id, row);
      }
      if (this.lanes.children[i] !== row.element) this.lanes.insertBefore(row.element, this.lanes.children[i] ?? null);
      row.update(lane, now);
    });
    const hidden = Math.max(running + waiting, live.length) + over.length - shown.length;
    this.more.hidden = hidden <= 0;
    this.more.textContent = `and ${count(hidden)} more`;
    this.none.hidden = shown.length > 0;
  }
}

/** One request over time. */
class Lane {
  constructor(id) {
    this.bars = ['wait', 'read', 'write'].map((kind) => h('i', { class: `bar-${kind}` }));
    this.text = h('span', { class: 'lane-text' });
    this.element = h('li', { class: 'lane' }, h('span', { class: 'lane-name', text: `#${id}` }),
      h('span', { class: 'lane-track', 'aria-hidden': 'true' }, ...this.bars), this.text);
  }

  update(lane, now) {
    const end = lane.ended ?? now;
    const started = lane.started ?? end;
    const first = lane.firstToken ?? end;
    place(this.bars[0], lane.submitted, Math.min(started, end), now);
    place(this.bars[1], started, Math.min(first, end), now);
    place(this.bars[2], first, end, now);
    const state = lane.state === 'ended' ? names[lane.reason] ?? lane.reason : names[lane.state];
    const cached = lane.cachedTokens > 0 ? ` (${count(lane.cachedTokens)} cached)` : '';
    const text = `${count(lane.promptTokens)}${cached} → ${count(lane.generatedTokens)}`;
    this.text.replaceChildren(h('span', { class: 'lane-state', text: state }), h('span', { class: 'lane-tokens', text,
      'aria-label': `${count(lane.promptTokens)} tokens of prompt${cached}, ${count(lane.generatedTokens)} written` }));
    this.element.dataset.state = lane.state;
    this.element.classList.toggle('over', lane.state === 'ended');
  }
}

const names = {
  waiting: 'waiting', reading: 'reading', generating: 'writing', stop: 'done', endOfText: 'done', length: 'at its limit', cancelled: 'stopped',
  error: 'failed', timeout: 'out of time', toolCalls: 'calls a tool',
};

function place(bar, from, to, now) {
  const left = Math.max(0, 100 - (now - from) / (window_ * 10));
  const right = Math.min(100, 100 - (now - to) / (window_ * 10));
  bar.style.left = `${left}%`;
  bar.style.width = `${Math.max(0, right - left)}%`;
}

function figure(label, note = '', hasMeter = false) {
  const value = h('span', { class: 'value' });
  const detail = h('span', { class: 'detail', text: note });
  const fill = h('i');
  const element = h('div', { class: 'figure' }, h('dt', { text: label }),
    h('dd', {}, value, hasMeter ? h('span', { class: 'meter' }, fill) : null, detail));
  return {
    element,
    set(text, under = null, part = 0) {
      if (value.textContent !== text) value.textContent = text;
      if (under !== null && detail.textContent !== under) detail.textContent = under;
      if (hasMeter) fill.style.width = `${Math.min(100, part * 100)}%`;
    },
  };
}

const count = (value) => value.toLocaleString('en');
const rate = (value) => (value < 10 && value > 0 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
const percent = (part) => `${part > 0 && part < 0.1 ? (part * 100).toFixed(1) : Math.round(part * 100)} %`;
const seconds = (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 2 : 1)} s`);
