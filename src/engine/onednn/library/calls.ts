/** Calls of the C API that both major versions have alike, with their status checked. */
import { EngineError } from '../../engineError.js';
import type { ForeignFunction, OneDnnLibrary } from './load.node.js';

/** An address in the library's memory, or 0. */
export type Handle = number;

const STATUS = [
  'success',
  'out of memory',
  'invalid arguments',
  'unimplemented',
  'last of implementations',
  'runtime error',
  'not required',
];

/** C types: addresses go as numbers, and buffers of JavaScript as pointers. */
const ADDRESS = 'uint64';
const BUFFER = 'void *';

/** @throws EngineError when a call did not succeed */
export function check(status: number, call: string): void {
  if (status === 0) return;
  throw new EngineError(`oneDNN: ${call}: ${STATUS[status] ?? `status ${status}`}`, { subject: call, found: status });
}

/** Declares functions that return a status, and holds the memory that they are given for good. */
export class Calls {
  readonly library: OneDnnLibrary;
  readonly #kept: ArrayBuffer[] = [];

  constructor(library: OneDnnLibrary) {
    this.library = library;
  }

  /** The address of new memory that lives as long as this object: an address alone keeps no buffer from being collected. */
  lastingMemory(bytes: number): number {
    const memory = new ArrayBuffer(bytes);
    this.#kept.push(memory);
    return this.library.addressOf(memory);
  }

  /** A function whose status is checked: `address` for handles and values by address, `buffer` for memory of JavaScript. */
  checked(
    name: string,
    ...parameters: readonly ('address' | 'buffer' | 'int' | 'uint' | 'float' | 'size')[]
  ): ForeignFunction {
    const types = {
      address: ADDRESS,
      buffer: BUFFER,
      int: 'int',
      uint: 'unsigned int',
      float: 'float',
      size: 'size_t',
    };
    const call = this.library.library.func(
      name,
      'int',
      parameters.map((parameter) => types[parameter]),
    );
    return (...values) => check(call(...values), name);
  }

  /** As `checked`, for a function that makes something and writes its handle to its first parameter. */
  making(name: string, ...parameters: Parameters<Calls['checked']>[1][]): (...values: unknown[]) => Handle {
    const call = this.checked(name, 'buffer', ...parameters);
    const handle = new BigUint64Array(1);
    return (...values) => {
      call(handle, ...values);
      return Number(handle[0]);
    };
  }
}
