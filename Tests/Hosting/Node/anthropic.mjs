// What a program does that uses Anthropic's package. Prints one line of JSON for each thing tried.
import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: process.argv[2], apiKey: 'none', maxRetries: 0 });
const say = (name, value) => console.log(JSON.stringify({ name, ...value }));
const messages = [{ role: 'user', content: 'What is the weather in Seoul?' }];
const tools = [{ name: 'get_weather', description: 'The weather.', input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } }];
const asked = { model: 'demo', max_tokens: 256, messages, tools, thinking: { type: 'enabled', budget_tokens: 1024 } };

const message = await client.messages.create(asked);
const block = (from, type) => from.content.find((one) => one.type === type);
say('message', {
  thinking: block(message, 'thinking').thinking, signed: block(message, 'thinking').signature.length > 0, text: block(message, 'text').text,
  input: block(message, 'tool_use').input, reason: message.stop_reason, usage: message.usage,
});

const next = await client.messages.create({
  ...asked,
  messages: [
    ...messages,
    { role: 'assistant', content: message.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: block(message, 'tool_use').id, content: 'sun' }] },
  ],
});
say('result', { text: block(next, 'text').text, reason: next.stop_reason });

const stream = client.messages.stream(asked);
const heard = { text: '', thinking: '' };
stream.on('text', (text) => { heard.text += text; });
stream.on('thinking', (thinking) => { heard.thinking += thinking; });
const final = await stream.finalMessage();
say('stream', {
  ...heard, signature: block(final, 'thinking').signature === block(message, 'thinking').signature, input: block(final, 'tool_use').input,
  reason: final.stop_reason, usage: final.usage,
});

const types = [];
for await (const event of await client.messages.create({ ...asked, stream: true })) types.push(event.type);
say('events', { first: types[0], last: types.at(-1), count: types.length });

say('count', { tokens: (await client.messages.countTokens({ model: 'demo', messages, tools })).input_tokens });

for (const [name, ask] of [
  ['error', () => client.messages.create({ ...asked, tools: [{ type: 'web_search_20250305', name: 'web_search' }] })],
  ['model error', () => client.messages.create({ ...asked, model: 'other' })],
]) {
  try {
    await ask();
    say(name, { error: null });
  } catch (error) {
    say(name, { error: error.constructor.name, status: error.status, type: error.error?.error?.type, message: error.message });
  }
}
