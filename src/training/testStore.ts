/** A checkpoint store for tests of the trainer. */
import { MemoryStore as LibraryStore } from './memoryStore.js';

/** Keeps every checkpoint. */
export class MemoryStore extends LibraryStore {
  constructor() {
    super({ keep: Number.POSITIVE_INFINITY });
  }
}
