/**
 * Two flags that both threads see: whether the worker is inside the runtime, and whether it is to begin nothing more. A
 * thread that is ended while the runtime computes takes the whole process down with it (onnxruntime-node 1.30 throws a
 * C++ exception that nobody catches), so nobody may end it before it is out.
 */
export class Gate {
  static readonly #BUSY = 0;
  static readonly #CLOSED = 1;
  readonly flags: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.flags = new Int32Array(buffer);
  }

  /** Worker: false when it may not begin. */
  enter(): boolean {
    Atomics.store(this.flags, Gate.#BUSY, 1);
    if (Atomics.load(this.flags, Gate.#CLOSED) === 0) return true;
    this.leave();
    return false;
  }
  leave(): void {
    Atomics.store(this.flags, Gate.#BUSY, 0);
    Atomics.notify(this.flags, Gate.#BUSY);
  }
  /** Caller: from now on the worker begins nothing. */
  shut(): void {
    Atomics.store(this.flags, Gate.#CLOSED, 1);
  }
  /** Caller: blocks until the worker is out of the runtime, at most this long. */
  waitUntilLeft(timeoutMs: number): void {
    Atomics.wait(this.flags, Gate.#BUSY, 1, timeoutMs);
  }
}
