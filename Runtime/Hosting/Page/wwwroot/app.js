// Puts the page together: tabs, colours, the key, the models.
import { ask, useKey } from './api.js';
import { Chat } from './chat.js';
import { ClusterView } from './cluster.js';
import { $, fillIcons, h, toast } from './dom.js';
import { EngineView } from './engine.js';
import * as settings from './settings.js';
import { emptyView, Sidebar } from './sidebar.js';
import * as store from './store.js';

let models = [];
let asking = null;
let sidebar = null;

fillIcons();
const isKept = await store.open();

const chat = new Chat({
  askKey,
  listChanged: () => sidebar?.changed(),
  opened(id) {
    const hash = id ? `#${id}` : '';
    if (location.hash !== hash && current() === 'chat') history.replaceState(null, '', hash || location.pathname);
    document.title = id && chat.current.title ? `${chat.current.title} · Quilt` : 'Quilt';
    sidebar?.changed();
  },
  emptyView: () => emptyView(settings.chosenModel() ?? models[0]),
});
sidebar = new Sidebar(chat);
const engine = new EngineView($('panel-engine'), askKey);
const cluster = new ClusterView($('panel-cluster'), askKey);
const tabs = ['chat', 'engine', 'cluster'];

setUpTabs();
setUpTheme();
setUpKey();
settings.setUp();
$('open-settings').addEventListener('click', settings.show);
$('composer-settings').addEventListener('click', settings.show);
$('skip').addEventListener('click', (event) => {
  event.preventDefault();
  showTab('chat');
  $('prompt').focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return;
  if (sidebar.isOpen) sidebar.close();
  else chat.stop();
});
document.addEventListener('quilt-key', () => loadModels());
window.addEventListener('hashchange', () => route());

if (!isKept) toast('This browser keeps nothing for this page: conversations are gone with the tab.');
await route();
sidebar.changed();
if (current() === 'chat' && matchMedia('(hover: hover)').matches) $('prompt').focus();
document.documentElement.dataset.ready = 'true';
loadModels();
offerCluster();

function current() {
  return tabs.find((name) => !$(`panel-${name}`).hidden);
}

/** Shows the tab of the cluster where the server belongs to one. */
async function offerCluster() {
  try {
    $('tab-cluster').hidden = !(await (await ask('page/views')).json()).includes('cluster');
    if (location.hash === '#cluster') await route();
  } catch {
    // Without an answer there is no tab; the rest of the page says what is wrong.
  }
}

async function route() {
  const name = location.hash.slice(1);
  if (name !== 'chat' && tabs.includes(name) && !$(`tab-${name}`).hidden) {
    showTab(name);
    if (chat.current.messages.length === 0) chat.sync();
    return;
  }
  showTab('chat', false);
  if (name === chat.current.id && chat.current.messages.length > 0) return;
  if (name === '' || !(await chat.open(name))) await chat.open(null);
}

function showTab(name, setsHash = true) {
  for (const each of tabs) {
    $(`panel-${each}`).hidden = each !== name;
    $(`tab-${each}`).setAttribute('aria-selected', String(each === name));
    $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
  }
  engine.look();
  cluster.look();
  if (!setsHash) return;
  const hash = name !== 'chat' ? `#${name}` : chat.current.messages.length > 0 ? `#${chat.current.id}` : '';
  if (location.hash !== hash) history.replaceState(null, '', hash || location.pathname);
  if (name === 'chat') chat.sync();
}

function setUpTabs() {
  for (const name of tabs) $(`tab-${name}`).addEventListener('click', () => showTab(name));
  document.querySelector('.tabs').addEventListener('keydown', (event) => {
    if (!['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) return;
    event.preventDefault();
    const shown = tabs.filter((tab) => !$(`tab-${tab}`).hidden);
    const step = event.key === 'ArrowLeft' ? shown.length - 1 : 1;
    const name = event.key === 'Home' ? shown[0] : event.key === 'End' ? shown.at(-1) : shown[(shown.indexOf(current()) + step) % shown.length];
    showTab(name);
    $(`tab-${name}`).focus();
  });
}

function setUpTheme() {
  const root = document.documentElement;
  const now = root.dataset.theme ?? 'auto';
  const colour = () => document.querySelector('meta[name="theme-color"]').setAttribute('content', getComputedStyle(document.body).backgroundColor);
  for (const input of $('theme').querySelectorAll('input')) {
    input.checked = input.value === now;
    input.addEventListener('change', () => {
      if (input.value === 'auto') delete root.dataset.theme;
      else root.dataset.theme = input.value;
      try {
        if (input.value === 'auto') localStorage.removeItem('quilt.theme');
        else localStorage.setItem('quilt.theme', input.value);
      } catch {
        // Holds until the tab is closed.
      }
      colour();
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', colour);
  colour();
}

/** Asks for a key; whoever asks while the question stands gets the same answer. */
function askKey() {
  asking ??= new Promise((resolve) => {
    const dialog = $('key-dialog');
    $('key-input').value = '';
    dialog.returnValue = '';
    dialog.showModal();
    dialog.addEventListener('close', () => {
      asking = null;
      const isGiven = dialog.returnValue === 'given';
      if (isGiven && models.length === 0) loadModels();
      resolve(isGiven);
    }, { once: true });
  });
  return asking;
}

function setUpKey() {
  const dialog = $('key-dialog');
  $('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const key = $('key-input').value.trim();
    if (key === '') return;
    useKey(key, $('key-keep').checked);
    dialog.close('given');
  });
  $('key-cancel').addEventListener('click', () => dialog.close(''));
}

async function loadModels() {
  try {
    const list = await (await ask('v1/models')).json();
    models = (list.data ?? []).map((model) => model.id);
  } catch (error) {
    if (error.status === 401) {
      if (models.length === 0) await askKey();
    } else {
      setTimeout(loadModels, 5000);
    }
    showModels();
    return;
  }
  if (!models.includes(settings.chosenModel()) && models.length > 0) settings.chooseModel(models[0]);
  showModels();
}

function showModels() {
  const select = $('model');
  select.replaceChildren(...(models.length > 0 ? models : ['no model']).map((name) => h('option', { value: name, text: name })));
  select.disabled = models.length === 0;
  if (models.length > 0) select.value = settings.chosenModel();
  select.onchange = () => {
    settings.chooseModel(select.value);
    if (chat.current.messages.length === 0) chat.sync();
  };
  if (chat.current.messages.length === 0) chat.sync();
}
