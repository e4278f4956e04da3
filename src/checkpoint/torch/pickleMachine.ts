/**
 * Python's pickle, restricted: a small machine that builds plain data and nothing else. A pickle is a program; in Python
 * it may import and call anything. Here a global is a key into a table of names that the caller allows, and calling one
 * runs a function of ours that makes inert data. There is no import, no attribute look-up and no other call. The opcodes
 * are in pickle.ts.
 */
import type { CheckpointError } from '../../errors/errors.js';
import { damaged, refused } from '../../formats/damaged.js';

/** An allowed global: a class or function of Python by its name, and what stands for calling it. */
export class PickleGlobal {
  constructor(
    /** Module and name, for instance "torch._utils _rebuild_tensor_v2". */
    readonly name: string,
    /** @throws PickleProblem when the arguments are not as they should be */
    readonly call?: (args: readonly unknown[]) => unknown,
  ) {}
}

/** A dict or OrderedDict. */
export class PickleDict extends Map<unknown, unknown> {}

/** An object that is known and of no use here, for instance argparse.Namespace; its attributes are dropped. */
export class PickleRecord {
  constructor(readonly type: string) {}
}

export interface PickleRules {
  /** By "module name". */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What stands for a persistent id. @throws PickleProblem */
  persistent(id: unknown): unknown;
}

/** The pickle goes on beyond the bytes given: the caller may come back with more. */
export class PickleIncomplete extends Error {}

/** What is wrong with a pickle, as the end of a sentence that begins with "its pickle". */
export class PickleProblem extends Error {}

/**
 * Limits. The pickle of a checkpoint is its table of contents: 400 tensors with optimizer state make about 250 KB, 1,200
 * tensors and 20,000 objects. What is beyond these limits is no checkpoint, and inside them memory stays in the hundreds
 * of megabytes whatever the bytes are.
 */
export const MAX_PICKLE_BYTES = 1 << 24;
const MAX_OBJECTS = 250_000;
const MAX_STACK = 1_000_000;
const MAX_MEMO = 250_000;
const MAX_MARKS = 1000;
const MAX_INTEGER_BYTES = 255;
const MAX_NAME_BYTES = 1000;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Strings of Python 2 are bytes in no known encoding; those of checkpoints are ASCII. */
const latin1 = new TextDecoder('latin1');

/** State of a pickle that is being run, and what its opcodes do to it. */
export class PickleMachine {
  position: number;
  stack: unknown[] = [];
  /** Stacks below the marks, outermost first. */
  readonly marks: unknown[][] = [];
  readonly memo = new Map<number, unknown>();
  numObjects = 0;
  /** Slots in `stack` and in `marks` together. */
  numBelow = 0;
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly rules: PickleRules,
    readonly source: string,
    readonly start: number,
  ) {
    this.position = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws CheckpointError when the pickle has grown beyond any checkpoint's */
  checkLimits(): void {
    if (this.position - this.start > MAX_PICKLE_BYTES) {
      throw this.refuse(`its pickle is longer than ${MAX_PICKLE_BYTES} bytes`);
    }
    if (this.stack.length + this.numBelow > MAX_STACK) throw this.refuse(`its pickle stacks over ${MAX_STACK} values`);
  }

  /** What is left at the end. */
  result(): unknown {
    if (this.marks.length === 0 && this.stack.length === 1) return this.stack[0];
    throw damaged(this.source, `its pickle ends with ${this.stack.length} values on the stack, expected 1`);
  }

  // Reading.

  take(length: number): Uint8Array {
    // Never more than the limit, however much a caller's bytes hold.
    if (length > MAX_PICKLE_BYTES) throw new PickleProblem(`gives a length of ${length} bytes`);
    if (this.position + length > this.bytes.length) throw new PickleIncomplete();
    const taken = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  uint8(): number {
    return this.take(1)[0];
  }
  uint16(): number {
    this.take(2);
    return this.view.getUint16(this.position - 2, true);
  }
  uint32(): number {
    this.take(4);
    return this.view.getUint32(this.position - 4, true);
  }
  int32(): number {
    return this.uint32() | 0;
  }
  /** A length; beyond 2^53 it is beyond every limit too. */
  uint64(): number {
    this.take(8);
    return Number(this.view.getBigUint64(this.position - 8, true));
  }
  float64(): number {
    this.take(8);
    return this.view.getFloat64(this.position - 8, false);
  }
  text(length: number): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new PickleProblem('has text that is not UTF-8');
    }
  }
  latin1(length: number): string {
    return latin1.decode(this.take(length));
  }
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0 && this.bytes.length - this.position <= MAX_NAME_BYTES) throw new PickleIncomplete();
    if (end < 0 || end - this.position > MAX_NAME_BYTES) {
      throw new PickleProblem(`has a name of over ${MAX_NAME_BYTES} bytes`);
    }
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }
  /** Two's complement, least significant byte first. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw new PickleProblem(`has an integer of ${length} bytes`);
    const bytes = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    const signed = BigInt.asIntN(8 * length, value);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  // The stack.

  push(value: unknown): void {
    this.stack.push(value);
  }
  pop(): unknown {
    if (this.stack.length === 0) throw new PickleProblem('takes a value from an empty stack');
    return this.stack.pop();
  }
  top(): unknown {
    if (this.stack.length === 0) throw new PickleProblem('needs a value on an empty stack');
    return this.stack[this.stack.length - 1];
  }
  mark(): void {
    if (this.marks.length === MAX_MARKS) throw new PickleProblem(`nests over ${MAX_MARKS} marks`);
    this.numBelow += this.stack.length;
    this.marks.push(this.stack);
    this.stack = [];
  }
  /** Everything above the last mark. */
  popMark(): unknown[] {
    const below = this.marks.pop();
    if (!below) throw new PickleProblem('needs a mark');
    const items = this.stack;
    this.stack = below;
    this.numBelow -= below.length;
    return items;
  }
  /** A new container; they are counted, as an empty one takes two hundred times its byte in the pickle. */
  make<T>(value: T): T {
    if (++this.numObjects > MAX_OBJECTS) throw new PickleProblem(`makes over ${MAX_OBJECTS} objects`);
    return value;
  }
  tuple(items: unknown[]): void {
    this.push(this.make(Object.freeze(items)));
  }
  setMemo(index: number): void {
    if (this.memo.size >= MAX_MEMO) throw new PickleProblem(`remembers over ${MAX_MEMO} values`);
    this.memo.set(index, this.top());
  }
  getMemo(index: number): void {
    if (!this.memo.has(index)) throw new PickleProblem(`asks for memo ${index}, which was never set`);
    this.push(this.memo.get(index));
  }

  // Globals and calls.

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw new PickleProblem('names a global by something other than text');
    }
    const found = this.rules.globals.get(`${module} ${name}`);
    if (!found) throw this.unknownGlobal(module, name);
    this.push(found);
  }
  call(callee: unknown, args: unknown): void {
    if (!(callee instanceof PickleGlobal) || !callee.call) {
      throw new PickleProblem(
        `calls ${callee instanceof PickleGlobal ? callee.name : 'something'}, which is no function`,
      );
    }
    if (!Array.isArray(args)) throw new PickleProblem(`calls ${callee.name} with arguments that are no tuple`);
    // A list as an argument costs as much as it is long, and a pickle may hand over the same one again and again.
    for (const argument of args) if (Array.isArray(argument)) this.numObjects += argument.length;
    const value = callee.call(args);
    this.push(this.make(value));
  }
  /** Sets attributes, which nobody reads: of an OrderedDict it is state_dict's `_metadata`, version numbers of modules. */
  build(): void {
    this.pop();
    const object = this.top();
    if (object instanceof PickleDict) return;
    if (!(object instanceof PickleRecord)) throw new PickleProblem('sets attributes of something that has none');
  }
  setItems(items: readonly unknown[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) throw new PickleProblem('sets items of something that is no dict');
    if (items.length % 2) throw new PickleProblem('sets items with a key that has no value');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }
  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) throw new PickleProblem('appends to something that is no list');
    for (const item of items) list.push(item);
  }
  addItems(items: readonly unknown[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw new PickleProblem('adds to something that is no set');
    for (const item of items) set.add(item);
  }

  // Messages.

  refuse(problem: string): CheckpointError {
    return refused(this.source, problem, 'No checkpoint needs this; do not trust the file');
  }
  unknownOpcode(code: number, at: number): CheckpointError {
    return damaged(this.source, `its pickle has opcode 0x${code.toString(16).padStart(2, '0')} at byte ${at}`, code);
  }
  unknownGlobal(module: string, name: string): CheckpointError {
    const shown = `${module}.${name}`.slice(0, 200);
    return refused(
      this.source,
      `its pickle asks for the Python global ${shown}, which is not one that a checkpoint of weights needs`,
      'Nothing was run. If you trust the file, save its weights alone in Python: torch.save(model.state_dict(), …), or as safetensors',
      shown,
    );
  }
  /** Problems from inside an opcode get the file and the position. */
  located(error: unknown, where: string): unknown {
    return error instanceof PickleProblem ? damaged(this.source, `its pickle ${error.message} (${where})`) : error;
  }
}
