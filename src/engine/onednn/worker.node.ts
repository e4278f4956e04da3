/** The thread in which oneDNN computes: its calls block, and its state and memory lie here. */
import type { FileRange } from '../../files/storedValues.js';
import { readRange } from '../../files/storedValues.node.js';
import { serveEngine, warnUser, workerSettings } from '../worker/workerServer.node.js';
import { flushDenormals } from './library/denormals.js';
import { loadOneDnn, type OneDnnLibrary } from './library/load.node.js';
import { OneDnnSession } from './library/session.js';
import { setThreads } from './library/threads.js';
import { allocate, elementsOf } from './memory.js';
import { choosePrecision, hasBf16 } from './precisionChoice.js';
import { OneDnnProgram, Runtime } from './program.js';
import type { OneDnnGreeting, OneDnnSettings, OneDnnSource, SentOneDnnSource } from './protocol.js';
import { OneDnnArenas } from './state.js';

function start(library: OneDnnLibrary, settings: OneDnnSettings): void {
  // First, since the library's threads take it over from this one.
  flushDenormals(library);
  // Precisions are compared on one thread: with several, a busy machine would decide.
  setThreads(library, 1);
  const session = new OneDnnSession(library);
  const precision = settings.precision === 'auto' ? choosePrecision(session) : settings.precision;
  if (precision === 'bf16' && !hasBf16(session)) {
    refuse({
      refused:
        'precision "bf16" is not to be had here: oneDNN has no bf16 products for this processor. Use --precision fp32',
    });
    return;
  }
  const warnings = setThreads(library, settings.threads);
  const runtime = new Runtime(session, precision, warnUser);
  serveEngine<SentOneDnnSource, OneDnnGreeting>(
    {
      createArenas: (layout) => new OneDnnArenas(layout, runtime.addressOf),
      compile: (source, arenas, profile) =>
        new OneDnnProgram(runtime, withWeights(source, runtime), arenas as OneDnnArenas | undefined, profile),
    },
    { version: library.version, path: library.path, precision, warnings },
  );
}

/** Reads the weights that stayed in a file into memory where the library takes them as they are. */
function withWeights({ weights, ...source }: SentOneDnnSource, { addressOf }: Runtime): OneDnnSource {
  if (!weights) return source;
  const read = (range: FileRange): Float32Array => {
    const block = allocate(range.bytes, addressOf);
    readRange(range, new Uint8Array(block.buffer, block.start, block.bytes));
    return elementsOf(block, 0, 'f32', range.bytes / Float32Array.BYTES_PER_ELEMENT) as Float32Array;
  };
  const values = [...weights].map(([name, each]) => [name, 'file' in each ? read(each) : each] as const);
  return { ...source, weights: new Map(values) };
}

/** Greets with the reason why there is no engine, after which the driver ends this thread. */
function refuse(reason: Exclude<OneDnnGreeting, { version: string }>): void {
  const fail = () => {
    throw new Error(Object.values(reason)[0]);
  };
  serveEngine<OneDnnSource, OneDnnGreeting>({ createArenas: fail, compile: fail }, reason);
}

const library = loadOneDnn();
if ('missing' in library) {
  refuse(library);
} else {
  try {
    start(library, workerSettings());
  } catch (error) {
    refuse({ missing: `${library.path} ${library.version} does not start: ${(error as Error).message}` });
  }
}
