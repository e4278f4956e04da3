/**
 * The run of a tab, kept in the browser (IndexedDB): its text and settings, what was seen of it, and the newest checkpoint. A tab
 * that is closed and opened again goes on with the same bits.
 */
import type { Snapshot } from '../../../../src/training/checkpoint.js';
import type { KeptView } from './trainProtocol.js';

export interface KeptRun {
  readonly view: KeptView;
  /** Pieces of the vocabulary, in the order of their ids. */
  readonly vocabulary: readonly string[];
  /** Without its models, which are made of the settings again. Undefined before the first checkpoint. */
  readonly snapshot?: Omit<Snapshot, 'models'>;
}

export interface RunKeeper {
  load(): Promise<KeptRun | undefined>;
  /** Keeps all at once, or nothing: an interrupted write leaves what was there. */
  save(run: KeptRun): Promise<void>;
  clear(): Promise<void>;
}

const [DATABASE, STORE, KEY] = ['pleiad-train', 'runs', 'tab'];

/** Where the browser refuses storage, as in private windows, a run lives as long as its tab. */
export function browserKeeper(): RunKeeper {
  const within = async <T>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
    const database = await openDatabase();
    try {
      const transaction = database.transaction(STORE, mode);
      const request = use(transaction.objectStore(STORE));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result;
    } finally {
      database.close();
    }
  };
  return {
    load: () => within('readonly', (store) => store.get(KEY) as IDBRequest<KeptRun | undefined>).catch(() => undefined),
    save: async (run) => {
      await within('readwrite', (store) => store.put(run, KEY)).catch(() => {});
    },
    clear: async () => {
      await within('readwrite', (store) => store.delete(KEY)).catch(() => {});
    },
  };
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
