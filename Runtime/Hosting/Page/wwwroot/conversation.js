// A conversation as it is kept, as requests carry it, and how a stream of chunks becomes a message of it.
import { ask, ApiError, errorText, events } from './api.js';
import { newId } from './store.js';
import { requestFields, systemPrompt } from './settings.js';

/** What a tool is said to have given where the user went on without it. */
export const noResult = 'No result: the call was not made.';

export const newConversation = () => ({ id: newId(), title: '', created: Date.now(), updated: Date.now(), revision: 0, messages: [] });

export function titleOf(text) {
  const line = text.trim().split('\n')[0].replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 58).trimEnd()}…` : line;
}

export const newReply = () => ({ role: 'assistant', content: '', reasoning: '', calls: [], at: Date.now() });

/** Calls of the last reply that have no result yet. */
export function openCalls(conversation) {
  const at = conversation.messages.findLastIndex((message) => message.role === 'assistant');
  if (at < 0) return [];
  const given = new Set(conversation.messages.slice(at + 1).filter((message) => message.role === 'tool').map((message) => message.callId));
  return conversation.messages[at].calls.filter((call) => !given.has(call.id));
}

/** The messages as the API has them. Thinking goes back with the reply that it led to. */
export function toWire(messages) {
  const wire = [];
  if (systemPrompt() !== '') wire.push({ role: 'system', content: systemPrompt() });
  for (const message of messages) {
    if (message.role === 'user') {
      wire.push({ role: 'user', content: message.content });
    } else if (message.role === 'tool') {
      wire.push({ role: 'tool', tool_call_id: message.callId, content: message.content });
    } else if (message.content !== '' || message.calls.length > 0 || message.reasoning !== '') {
      wire.push({
        role: 'assistant',
        content: message.content,
        ...(message.reasoning !== '' && { reasoning_content: message.reasoning }),
        ...(message.calls.length > 0 && {
          tool_calls: message.calls.map(({ id, name, arguments: text }) => ({ id, type: 'function', function: { name, arguments: text } })),
        }),
      });
    }
  }
  return wire;
}

/** Asks for a reply and writes it into a message as it comes; `changed` is called after every piece. */
export async function reply(model, messages, message, signal, changed) {
  const begun = performance.now();
  const body = { model: model ?? undefined, messages: toWire(messages), stream: true, stream_options: { include_usage: true }, ...requestFields() };
  const response = await ask('v1/chat/completions', { body, signal });
  let first = null;
  let last = null;
  let isComplete = false;
  for await (const data of events(response)) {
    if (data === '[DONE]') {
      isComplete = true;
      break;
    }
    const chunk = JSON.parse(data);
    const error = errorText(chunk);
    if (error) throw new ApiError(0, error);
    if (chunk.model) message.model = chunk.model;
    if (chunk.usage) message.usage = { prompt: chunk.usage.prompt_tokens, reply: chunk.usage.completion_tokens };
    const choice = chunk.choices?.[0];
    if (!choice) continue;
    if (take(choice.delta ?? {}, message)) {
      last = performance.now();
      first ??= last;
      message.time = { first: first - begun, reply: last - first };
    }
    if (choice.finish_reason) message.finish = choice.finish_reason;
    changed();
  }
  if (!isComplete && !message.finish) throw new ApiError(0, 'The connection ended before the reply did.');
  message.finish ??= 'stop';
}

// One change; whether it said anything. The server may send thinking under two names: it is the same text.
function take(delta, message) {
  const thought = delta.reasoning || delta.reasoning_content || '';
  if (thought !== '') {
    message.thinkingSince ??= performance.now();
    message.reasoning += thought;
  }
  const said = delta.content || '';
  if ((said !== '' || delta.tool_calls?.length) && message.thinkingSince !== undefined) {
    message.thought = performance.now() - message.thinkingSince;
    delete message.thinkingSince;
  }
  message.content += said;
  for (const part of delta.tool_calls ?? []) {
    const call = (message.calls[part.index ?? 0] ??= { id: part.id ?? `call_${newId()}`, name: '', arguments: '' });
    if (part.id) call.id = part.id;
    call.name += part.function?.name ?? '';
    call.arguments += part.function?.arguments ?? '';
  }
  return thought !== '' || said !== '' || (delta.tool_calls?.length ?? 0) > 0;
}
