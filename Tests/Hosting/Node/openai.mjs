// What a program does that uses OpenAI's package. Prints one line of JSON for each thing tried.
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.argv[2] + '/v1', apiKey: 'none', maxRetries: 0 });
const say = (name, value) => console.log(JSON.stringify({ name, ...value }));
const messages = [{ role: 'user', content: 'What is the weather in Seoul?' }];
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'The weather.', parameters } }];
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };

const models = [];
for await (const model of client.models.list()) models.push(model.id);
say('models', { models });

const chat = await client.chat.completions.create({ model: 'demo', messages, tools });
const message = chat.choices[0].message;
say('chat', { content: message.content, reasoning: message.reasoning, call: message.tool_calls[0].function, finish: chat.choices[0].finish_reason, usage: chat.usage });

const next = await client.chat.completions.create({
  model: 'demo', tools,
  messages: [...messages, message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'sun' }],
});
say('chat result', { content: next.choices[0].message.content });

const streamed = { content: '', reasoning: '', arguments: '', tool: '', usage: null, finish: null };
for await (const chunk of await client.chat.completions.create({ model: 'demo', messages, tools, stream: true, stream_options: { include_usage: true } })) {
  const delta = chunk.choices[0]?.delta ?? {};
  streamed.content += delta.content ?? '';
  streamed.reasoning += delta.reasoning ?? '';
  for (const call of delta.tool_calls ?? []) {
    streamed.tool += call.function.name ?? '';
    streamed.arguments += call.function.arguments ?? '';
  }
  streamed.finish = chunk.choices[0]?.finish_reason ?? streamed.finish;
  streamed.usage = chunk.usage ?? streamed.usage;
}
say('chat stream', streamed);

const helper = client.chat.completions.stream({ model: 'demo', messages, tools });
say('chat stream helper', { call: (await helper.finalChatCompletion()).choices[0].message.tool_calls[0].function });

const formed = await client.chat.completions.parse({
  model: 'demo', messages, response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
});
say('structured', { parsed: JSON.parse(formed.choices[0].message.content) });

const text = await client.completions.create({ model: 'demo', prompt: 'One two', max_tokens: 20 });
say('completion', { text: text.choices[0].text });
let pieces = '';
for await (const chunk of await client.completions.create({ model: 'demo', prompt: 'One two', max_tokens: 20, stream: true })) pieces += chunk.choices[0]?.text ?? '';
say('completion stream', { text: pieces });

const flat = [{ type: 'function', name: 'get_weather', description: 'The weather.', parameters, strict: false }];
const response = await client.responses.create({ model: 'demo', input: 'What is the weather in Seoul?', tools: flat });
const call = response.output.find((item) => item.type === 'function_call');
say('response', {
  text: response.output_text, status: response.status, arguments: call.arguments,
  reasoning: response.output.find((item) => item.type === 'reasoning').content[0].text,
});
const later = await client.responses.create({
  model: 'demo', previous_response_id: response.id, tools: flat, input: [{ type: 'function_call_output', call_id: call.call_id, output: 'sun' }],
});
say('response result', { text: later.output_text });
say('response kept', { text: (await client.responses.retrieve(later.id)).output_text });
await client.responses.delete(later.id);

const stream = client.responses.stream({ model: 'demo', input: 'What is the weather in Seoul?', tools: flat });
const types = new Set();
let thinking = '';
for await (const event of stream) {
  types.add(event.type);
  if (event.type === 'response.reasoning_text.delta') thinking += event.delta;
}
const final = await stream.finalResponse();
say('response stream', { text: final.output_text, thinking, arguments: final.output.find((item) => item.type === 'function_call').arguments, types: types.size });

const parsed = await client.responses.parse({
  model: 'demo', input: 'Where?', text: { format: { type: 'json_schema', name: 'place', schema, strict: true } },
});
say('response structured', { parsed: parsed.output_parsed ?? JSON.parse(parsed.output_text) });

for (const [name, ask] of [
  ['chat error', () => client.chat.completions.create({ model: 'demo', messages, temperature: -1 })],
  ['model error', () => client.chat.completions.create({ model: 'other', messages })],
  ['response error', () => client.responses.retrieve(later.id)],
]) {
  try {
    await ask();
    say(name, { error: null });
  } catch (error) {
    say(name, { error: error.constructor.name, status: error.status, message: error.message });
  }
}
