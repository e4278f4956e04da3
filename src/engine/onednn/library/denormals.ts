/** Numbers too small for float32's exponent (below 1.2·10⁻³⁸) as 0. */
import type { OneDnnLibrary } from './load.node.js';

/** C's fenv_t on Linux x64: 28 bytes of the x87 unit, then the control register of the vector unit, MXCSR. */
const FENV_BYTES = 32;
const MXCSR_WORD = 7;
const FLUSH_TO_ZERO = 0x8000;
const DENORMALS_ARE_ZERO = 0x40;

/**
 * Has the calling thread, and the threads that it starts from now on, take denormal numbers for 0. Moments of rare tokens
 * decay through them, and processors of Intel compute with each a hundred times as long. Does nothing where it is not
 * known how.
 */
export function flushDenormals({ library }: OneDnnLibrary): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  const environment = new Uint32Array(new ArrayBuffer(FENV_BYTES));
  // Of the C library, which the library is linked against.
  library.func('fegetenv', 'int', ['void *'])(environment);
  environment[MXCSR_WORD] |= FLUSH_TO_ZERO | DENORMALS_ARE_ZERO;
  library.func('fesetenv', 'int', ['void *'])(environment);
}
