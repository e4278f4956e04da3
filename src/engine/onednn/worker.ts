/** The thread in which oneDNN computes: its calls block, and its state and memory lie here. */
import { serveEngine, warnUser, workerSettings } from '../node/workerServer.js';
import { flushDenormals } from './library/denormals.js';
import { loadOneDnn, type OneDnnLibrary } from './library/load.js';
import { OneDnnSession } from './library/session.js';
import { setThreads } from './library/threads.js';
import { choosePrecision } from './precisionChoice.js';
import { OneDnnProgram, Runtime } from './program.js';
import type { OneDnnGreeting, OneDnnSettings, OneDnnSource } from './protocol.js';
import { OneDnnArenas } from './state.js';

function start(library: OneDnnLibrary, settings: OneDnnSettings): void {
  // First, since the library's threads take it over from this one.
  flushDenormals(library);
  // Precisions are compared on one thread: with several, a busy machine would decide.
  setThreads(library, 1);
  const session = new OneDnnSession(library);
  const precision = settings.precision === 'auto' ? choosePrecision(session) : settings.precision;
  const warnings = setThreads(library, settings.threads);
  const runtime = new Runtime(session, precision, warnUser);
  serveEngine<OneDnnSource, OneDnnGreeting>(
    {
      createArenas: (layout) => new OneDnnArenas(layout, runtime.addressOf),
      compile: (source, arenas, profile) =>
        new OneDnnProgram(runtime, source, arenas as OneDnnArenas | undefined, profile),
    },
    { version: library.version, path: library.path, precision, warnings },
  );
}

const library = loadOneDnn();
if ('missing' in library) {
  serveEngine<OneDnnSource, OneDnnGreeting>(
    {
      createArenas: () => {
        throw new Error(library.missing);
      },
      compile: () => {
        throw new Error(library.missing);
      },
    },
    library,
  );
} else {
  start(library, workerSettings());
}
