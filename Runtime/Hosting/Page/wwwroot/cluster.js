// The Cluster tab: which process has which model, what it does, what its cache holds. Asks every two seconds while it is looked at.
import { ask } from './api.js';
import { h } from './dom.js';

const everyMs = 2000;

export class ClusterView {
  constructor(element, askKey) {
    this.element = element;
    this.askKey = askKey;
    this.asking = null;
    this.counts = new Map();                                // tokens that a replica had generated when it was last seen, and when that was
    this.note = h('p', { class: 'engine-note', role: 'status' });
    this.body = h('div', { class: 'engine-body' });
    element.append(h('div', { class: 'engine-page' }, this.note, this.body));
    document.addEventListener('visibilitychange', () => this.look());
  }

  /** Asks if it can be seen, and not if not. */
  look() {
    const isSeen = !this.element.hidden && document.visibilityState === 'visible';
    if (isSeen && !this.asking) {
      this.asking = new AbortController();
      this.poll(this.asking.signal);
    } else if (!isSeen && this.asking) {
      this.asking.abort();
      this.asking = null;
    }
  }

  async poll(signal) {
    while (!signal.aborted) {
      try {
        this.show(await (await ask('cluster', { signal })).json());
      } catch (error) {
        if (signal.aborted) return;
        if (error.status === 401) {
          if (await this.askKey()) continue;
          this.say('The cluster is shown to those who have a key.');
          if (this.asking?.signal === signal) this.asking = null;
          return;
        }
        this.say(`${error.message} Trying again …`);
      }
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  say(text) {
    if (this.note.textContent !== text) this.note.textContent = text;
    this.element.classList.toggle('stale', text !== '');
  }

  show({ cluster, node, policy, replicas }) {
    this.say('');
    const now = performance.now();
    const models = [...new Set(replicas.map((replica) => replica.model))].sort();
    this.body.replaceChildren(...models.map((model) => {
      const own = replicas.filter((replica) => replica.model === model).sort((a, b) => (a.node < b.node ? -1 : 1));
      const state = `${own.length === 1 ? 'one replica' : `${own.length} replicas`} in ${cluster}, chosen by ${policy}`;
      return h('section', { class: 'model-panel', 'aria-label': model },
        h('header', {}, h('h2', { text: model }), h('span', { class: 'model-state', text: state })),
        h('div', { class: 'nodes-card' }, h('table', { class: 'nodes' },
          h('thead', {}, h('tr', {}, ...columns.map((name, i) => h('th', { scope: 'col', class: i === 1 || i === 2 ? 'word' : null, text: name })))),
          h('tbody', {}, ...own.map((replica) => this.row(replica, node, now))))));
    }));
  }

  row(replica, node, now) {
    const used = replica.blocks > 0 ? replica.blocks_used / replica.blocks : 0;
    const held = replica.blocks > 0 ? replica.blocks_cached / replica.blocks : 0;
    return h('tr', { 'data-state': replica.state },
      h('th', { scope: 'row', text: replica.node === node ? `${replica.node} (this one)` : replica.node }),
      ...[replica.state, replica.role].map((text) => h('td', { class: 'word', text })),
      ...[count(replica.running), count(replica.waiting), this.rate(replica, now), percent(used), percent(held), percent(replica.hit_rate)]
        .map((text) => h('td', { text })));
  }

  // From two looks; a replica that began anew has fewer tokens than before.
  rate(replica, now) {
    const key = `${replica.node} ${replica.model}`;
    const before = this.counts.get(key);
    this.counts.set(key, { tokens: replica.generated_tokens, at: now });
    if (!before || replica.generated_tokens < before.tokens || now <= before.at) return '–';
    return count(Math.round((replica.generated_tokens - before.tokens) * 1000 / (now - before.at)));
  }
}

const columns = ['Node', 'State', 'Role', 'Running', 'Waiting', 'Tokens a second', 'Cache in use', 'Cache that can be found', 'Found in the cache'];
const count = (value) => value.toLocaleString('en');
const percent = (part) => `${part > 0 && part < 0.1 ? (part * 100).toFixed(1) : Math.round(part * 100)} %`;
