// Conversations, kept in this browser (IndexedDB). Every tab writes only the conversations that it changed, and a conversation that another tab
// changed meanwhile is kept beside, never overwritten. Bounded in number and size: the oldest go first.

const most = 200;
const mostSize = 32 << 20;                                  // characters of JSON
const channel = 'BroadcastChannel' in window ? new BroadcastChannel('quilt') : null;

let database = null;
let inMemory = null;                                        // where the browser keeps nothing: id -> conversation
let queue = Promise.resolve();

export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => byte.toString(36).padStart(2, '0')).join('');

/** Opens it. False: this browser keeps nothing, and what is said is gone with the tab. */
export async function open() {
  try {
    database = await new Promise((resolve, reject) => {
      const request = indexedDB.open('quilt', 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('heads', { keyPath: 'id' });
        request.result.createObjectStore('bodies', { keyPath: 'id' });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('blocked'));
    });
    database.onversionchange = () => database.close();
    return true;
  } catch {
    inMemory = new Map();
    return false;
  }
}

const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const done = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = transaction.onerror = () => reject(transaction.error);
});

/** Titles and times of all, the last one changed first. */
export async function list() {
  const heads = inMemory ? [...inMemory.values()].map(headOf) : await result(database.transaction('heads').objectStore('heads').getAll());
  return heads.sort((a, b) => b.updated - a.updated);
}

/** One, whole; null where it is gone. */
export async function get(id) {
  if (inMemory) return structuredClone(inMemory.get(id) ?? null);
  return (await result(database.transaction('bodies').objectStore('bodies').get(id))) ?? null;
}

const headOf = ({ id, title, updated, revision, size }) => ({ id, title, updated, revision, size });

/**
 * Keeps a conversation as it is now. Where another tab has changed it since, this one gets an id of its own and both are kept; its new id is then
 * in the conversation. Calls are done one after another.
 */
export function put(conversation) {
  queue = queue.catch(() => {}).then(() => write(conversation));
  return queue;
}

async function write(conversation) {
  const size = JSON.stringify(conversation.messages).length;
  if (inMemory) {
    inMemory.set(conversation.id, structuredClone({ ...conversation, size }));
    return;
  }
  const transaction = database.transaction(['heads', 'bodies'], 'readwrite');
  const finished = done(transaction);
  finished.catch(() => {});
  const heads = transaction.objectStore('heads');
  const bodies = transaction.objectStore('bodies');
  const all = await result(heads.getAll());
  const kept = all.find((head) => head.id === conversation.id);
  const next = { ...conversation, size, revision: (conversation.revision ?? 0) + 1 };
  if (kept && kept.revision !== (conversation.revision ?? 0)) {
    next.id = newId();
    next.title = `${conversation.title} (2)`;
    next.revision = 1;
  }
  heads.put(headOf(next));
  bodies.put(next);
  trim(all.filter((head) => head.id !== next.id), size, (id) => {
    heads.delete(id);
    bodies.delete(id);
  });
  await finished;
  Object.assign(conversation, { id: next.id, title: next.title, revision: next.revision });
  channel?.postMessage({ changed: next.id });
}

function trim(heads, size, remove) {
  const oldestFirst = heads.sort((a, b) => a.updated - b.updated);
  let total = oldestFirst.reduce((sum, head) => sum + (head.size ?? 0), size);
  let count = oldestFirst.length + 1;
  for (const head of oldestFirst) {
    if (count <= most && total <= mostSize) return;
    remove(head.id);
    total -= head.size ?? 0;
    count--;
  }
}

/** Takes one away. */
export function remove(id) {
  queue = queue.catch(() => {}).then(async () => {
    if (inMemory) {
      inMemory.delete(id);
      return;
    }
    const transaction = database.transaction(['heads', 'bodies'], 'readwrite');
    transaction.objectStore('heads').delete(id);
    transaction.objectStore('bodies').delete(id);
    await done(transaction);
    channel?.postMessage({ removed: id });
  });
  return queue;
}

/** Hears what other tabs change: `{ changed: id }` or `{ removed: id }`. */
export function onChange(listener) {
  channel?.addEventListener('message', (event) => listener(event.data));
}
