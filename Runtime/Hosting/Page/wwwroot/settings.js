// What requests ask for beside the conversation: kept in this browser, the same in all its tabs.
import { $, h } from './dom.js';
import { hasKey, useKey } from './api.js';

const name = 'quilt.settings';
const mostText = 200000;

const numbers = [
  { id: 'temperature', label: 'Temperature', min: 0, max: 2, step: 0.05, help: '0 always takes the likeliest token' },
  { id: 'top_p', label: 'Top P', min: 0, max: 1, step: 0.01, help: 'Share of probability to draw from' },
  { id: 'top_k', label: 'Top K', min: 0, step: 1, help: 'Likeliest tokens to draw from; 0 is all' },
  { id: 'min_p', label: 'Min P', min: 0, max: 1, step: 0.01, help: 'Least share of the likeliest token' },
  { id: 'repetition_penalty', label: 'Repetition penalty', min: 0.01, step: 0.05, help: '1 is none' },
  { id: 'frequency_penalty', label: 'Frequency penalty', min: -2, max: 2, step: 0.1, help: 'Grows with every use' },
  { id: 'presence_penalty', label: 'Presence penalty', min: -2, max: 2, step: 0.1, help: 'Once a token was used' },
  { id: 'max_completion_tokens', label: 'Most tokens', min: 1, step: 1, help: 'Thinking counts too' },
  { id: 'seed', label: 'Seed', step: 1, help: 'The same seed, the same reply' },
];

let values = read();

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(name) ?? '{}');
    return kept && typeof kept === 'object' ? kept : {};
  } catch {
    return {};
  }
}

function write() {
  try {
    localStorage.setItem(name, JSON.stringify(values));
  } catch {
    // Not kept: they hold until the tab is closed.
  }
}

/** The model that was chosen last. */
export const chosenModel = () => values.model ?? null;

export function chooseModel(model) {
  values.model = model;
  write();
}

export const systemPrompt = () => (values.system ?? '').trim();

/** The fields of a request that the settings decide. */
export function requestFields() {
  const fields = {};
  for (const { id } of numbers) {
    if (typeof values[id] === 'number') fields[id] = values[id];
  }
  const stop = (values.stop ?? '').split('\n').filter((line) => line !== '');
  if (stop.length > 0) fields.stop = stop;
  const tools = parseTools(values.tools ?? '');
  if (tools.list.length > 0 && values.tool_choice !== 'off') {
    fields.tools = tools.list;
    if (values.tool_choice === 'required') fields.tool_choice = 'required';
  }
  return fields;
}

/** Reads a list of tools: OpenAI's form, or functions alone, which are put into it. */
export function parseTools(text) {
  if (text.trim() === '') return { list: [], error: null };
  let json;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { list: [], error: `Not JSON: ${error.message}` };
  }
  const list = (Array.isArray(json) ? json : [json]).map((tool) => (tool?.name && !tool.function ? { type: 'function', function: tool } : tool));
  const bad = list.findIndex((tool) => tool?.type !== 'function' || typeof tool.function?.name !== 'string');
  if (bad >= 0) return { list: [], error: `Tool ${bad + 1} has no function with a name.` };
  return { list, error: null };
}

const exampleTool = `[{
  "type": "function",
  "function": {
    "name": "get_weather",
    "description": "The weather in a place",
    "parameters": {
      "type": "object",
      "properties": { "city": { "type": "string" } },
      "required": ["city"]
    }
  }
}]`;

/** Fills the dialog and keeps what is entered as it is entered. */
export function setUp() {
  const dialog = $('settings');
  const close = () => dialog.close();
  $('settings-close').addEventListener('click', close);
  $('settings-form').addEventListener('submit', (event) => {
    event.preventDefault();
    close();
  });
  $('settings-reset').addEventListener('click', () => {
    values = { model: values.model };
    write();
    fill();
  });
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) close();
  });
  window.addEventListener('storage', (event) => {
    if (event.key === name) values = read();
  });
}

export function show() {
  fill();
  $('settings').showModal();
}

function fill() {
  const toolError = h('p', { class: 'field-error', id: 'tools-error', role: 'alert' });
  const tools = area('tools', 'Tools, as JSON', exampleTool, 8, true);
  const toolArea = tools.querySelector('textarea');
  const check = () => {
    const { list, error } = parseTools(toolArea.value);
    toolError.textContent = error ?? '';
    toolArea.setAttribute('aria-invalid', String(error !== null));
    toolError.classList.toggle('good', error === null && list.length > 0);
    if (error === null && list.length > 0) toolError.textContent = list.map((tool) => tool.function.name).join(', ');
  };
  toolArea.setAttribute('aria-describedby', 'tools-error');
  toolArea.addEventListener('input', check);
  check();
  $('settings-fields').replaceChildren(
    h('section', {}, h('h3', { text: 'System prompt' }), area('system', 'What the model is told first', 'You are a helpful assistant.', 4, false)),
    h('section', {}, h('h3', { text: 'Sampling' }),
      h('p', { class: 'note', text: 'An empty field leaves the choice to the server and the model’s own configuration.' }),
      h('div', { class: 'grid' }, ...numbers.map(number)),
      area('stop', 'Stop at, one a line', '', 2, true)),
    h('section', {}, h('h3', { text: 'Tools' }),
      h('p', { class: 'note', text: 'When the model calls one, you give the result by hand.' }),
      tools, toolError, choice()),
    h('section', {}, h('h3', { text: 'Server' }), keyField()));
}

function area(id, label, placeholder, rows, isCode) {
  const input = h('textarea', { id: `setting-${id}`, rows, placeholder, maxlength: mostText, spellcheck: String(!isCode), class: isCode && 'code' });
  input.value = values[id] ?? '';
  input.addEventListener('input', () => keep(id, input.value === '' ? undefined : input.value));
  return h('label', { class: 'field' }, h('span', { text: label }), input);
}

function number({ id, label, min, max, step, help }) {
  const input = h('input', { id: `setting-${id}`, type: 'number', min, max, step: 'any', inputmode: 'decimal', placeholder: 'Default',
    'aria-describedby': `help-${id}` });
  const whole = step === 1;
  input.value = values[id] ?? '';
  input.addEventListener('input', () => {
    const value = input.valueAsNumber;
    const isGood = Number.isFinite(value) && input.validity.valid && (!whole || Number.isInteger(value));
    input.setAttribute('aria-invalid', String(input.value !== '' && !isGood || input.validity.badInput));
    keep(id, isGood ? value : undefined);
  });
  return h('label', { class: 'field' }, h('span', { text: label }), input, h('small', { id: `help-${id}`, text: help }));
}

function choice() {
  const select = h('select', { id: 'setting-tool_choice' },
    ...[['auto', 'The model decides'], ['required', 'Always call one'], ['off', 'Offer none']].map(([value, text]) => h('option', { value, text })));
  select.value = values.tool_choice ?? 'auto';
  select.addEventListener('change', () => keep('tool_choice', select.value === 'auto' ? undefined : select.value));
  return h('label', { class: 'field' }, h('span', { text: 'When tools are called' }), select);
}

function keyField() {
  const input = h('input', { id: 'setting-key', type: 'password', autocomplete: 'off', spellcheck: 'false',
    placeholder: hasKey() ? 'A key is in use' : 'None' });
  input.addEventListener('change', () => {
    useKey(input.value.trim(), false);
    document.dispatchEvent(new CustomEvent('quilt-key'));
  });
  const forget = h('button', { type: 'button', class: 'quiet', text: 'Forget the key', onclick: () => {
    useKey('', false);
    input.value = '';
    input.placeholder = 'None';
  } });
  return h('div', { class: 'row' }, h('label', { class: 'field' }, h('span', { text: 'API key, for this tab' }), input), forget);
}

function keep(id, value) {
  values[id] = value;
  write();
}
