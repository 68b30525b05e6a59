// The server: its errors, its key, its streams.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const keyName = 'quilt.key';

function storage(which, run) {
  try {
    return run(which === 'local' ? localStorage : sessionStorage);
  } catch {
    return null;
  }
}

let key = storage('session', (store) => store.getItem(keyName)) ?? storage('local', (store) => store.getItem(keyName)) ?? '';

/** Takes a key, for this tab or for all of this browser's. */
export function useKey(value, keep) {
  key = value;
  storage('session', (store) => (value && !keep ? store.setItem(keyName, value) : store.removeItem(keyName)));
  storage('local', (store) => (value && keep ? store.setItem(keyName, value) : store.removeItem(keyName)));
}

export const hasKey = () => key !== '';

/** Asks; what is not a success is an ApiError with the server's own words. Paths are relative, so that a prefix before the page does no harm. */
export async function ask(path, { body = null, signal = null } = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: body === null ? 'GET' : 'POST',
      headers: { ...(key && { authorization: `Bearer ${key}` }), ...(body !== null && { 'content-type': 'application/json' }) },
      body: body === null ? undefined : JSON.stringify(body),
      signal,
      cache: 'no-store',
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The server cannot be reached.');
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await messageOf(response));
}

async function messageOf(response) {
  const text = await response.text().catch(() => '');
  try {
    const message = errorText(JSON.parse(text));
    if (message) return message;
  } catch {
    // Not JSON: a proxy's page, or nothing.
  }
  return `The server answered ${response.status}${response.statusText ? ` (${response.statusText})` : ''}.`;
}

/** The words of an error in either shape; null where there is none. */
export function errorText(json) {
  const error = json?.error;
  if (!error) return null;
  return typeof error === 'string' ? error : error.message ?? 'The server reports an error without words.';
}

/** The data of a stream of server-sent events, one string an event. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let data = [];
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      for (const raw of lines) {
        const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
        if (line === '') {
          if (data.length > 0) yield data.join('\n');
          data = [];
        } else if (line.startsWith('data:')) {
          data.push(line.slice(line[5] === ' ' ? 6 : 5));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
