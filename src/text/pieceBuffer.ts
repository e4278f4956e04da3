/** Piece ids with word-start flags in one growing buffer: what corpus work collects before it writes a shard. */
export class PieceBuffer {
  /** int32, valid up to `length` */
  ids: Int32Array;
  /** uint8, 1 where the piece starts a word; valid up to `length` */
  wordStarts: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.ids = new Int32Array(capacity);
    this.wordStarts = new Uint8Array(capacity);
  }

  /** Makes room for `count` more pieces. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.ids.length) return;
    const capacity = Math.max(needed, 2 * this.ids.length);
    const ids = new Int32Array(capacity);
    ids.set(this.ids.subarray(0, this.length));
    this.ids = ids;
    const wordStarts = new Uint8Array(capacity);
    wordStarts.set(this.wordStarts.subarray(0, this.length));
    this.wordStarts = wordStarts;
  }

  /** Forgets the pieces and keeps the room. */
  clear(): void {
    this.length = 0;
  }
}
