/**
 * The run of a tab, kept in the browser (IndexedDB): its text and settings, what was seen of it, and the newest checkpoint. A tab
 * that is closed and opened again goes on with the same bits.
 */
import type { Snapshot } from '../../../../src/training/checkpoint.js';
import { keeping } from '../../backend/keeping.js';
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

const KEY = 'tab';

/** Where the browser refuses storage, as in private windows, a run lives as long as its tab. */
export function browserKeeper(): RunKeeper {
  const kept = keeping<KeptRun>('pleiad-train');
  return {
    load: () => kept.get(KEY).catch(() => undefined),
    save: (run) => kept.put(KEY, run).catch(() => {}),
    clear: () => kept.remove(KEY).catch(() => {}),
  };
}
