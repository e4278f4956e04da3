/** A table in the browser's own database, by key. Where the browser refuses storage every use fails, which callers bear. */

export interface Keeping<T> {
  get(key: string): Promise<T | undefined>;
  all(): Promise<T[]>;
  put(key: string, value: T): Promise<void>;
  remove(key: string): Promise<void>;
}

const STORE = 'values';

/** @param database  its name; each table is a database of its own, so that none has to know of the others */
export function keeping<T>(database: string): Keeping<T> {
  const within = async <R>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<R>): Promise<R> => {
    const opened = await open(database);
    try {
      const transaction = opened.transaction(STORE, mode);
      const request = use(transaction.objectStore(STORE));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result;
    } finally {
      opened.close();
    }
  };
  return {
    get: (key) => within('readonly', (store) => store.get(key) as IDBRequest<T | undefined>),
    all: () => within('readonly', (store) => store.getAll() as IDBRequest<T[]>),
    put: async (key, value) => void (await within('readwrite', (store) => store.put(value, key))),
    remove: (key) => within('readwrite', (store) => store.delete(key)),
  };
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (!globalThis.indexedDB) {
      reject(new Error('the browser keeps nothing for this page'));
      return;
    }
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
