/**
 * The thread in which a rank calls MPI: all calls come from here, so that the library need not support more, and the
 * main thread stays alive while this one waits. Requests are served in order.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Numbers } from '../collective.js';
import { MpiLibrary } from './mpiLibrary.js';
import { Board, type Greeting, type Operation, type Reply, type Request, type WorkerData } from './mpiProtocol.js';
import { type Mail, MeetingFailed, MOST_VALUES, RollCall } from './rollCall.js';

const port = parentPort!;
const { libraries, size: expectedSize, timeoutMs, board: boardBuffer } = workerData as WorkerData;
const board = new Board(boardBuffer);

/** How often an idle rank looks whether another has failed. */
const LISTEN_EVERY_MS = 200;

const { mpi, rank, size } = await begin();
const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
const mail: Mail = {
  // Seldom, but a library whose buffers are full does wait.
  send: (values, to, tag) => board.blockedWhile(() => mpi.send(values, to, tag)),
  hasMessage: (tag, from) => mpi.hasMessage(tag, from),
  receive: (into, tag, from) => mpi.receive(into, tag, from),
};
const rollCall = new RollCall(mail, {
  rank,
  size,
  timeoutMs,
  setMissing: (of, missing) => board.setMissing(of, missing),
  sleep: (ms) => Atomics.wait(sleeper, 0, 0, ms),
  now: () => performance.now(),
  isAlive,
});
/** Whether the ranks have just left a large exchange together. */
let together = false;

async function begin() {
  try {
    const { default: koffi } = await import('koffi');
    const library = MpiLibrary.load(koffi, libraries);
    const place = library.initialize();
    port.postMessage({ ...place, version: library.version, library: library.name } satisfies Greeting);
    return { mpi: library, ...place };
  } catch (error) {
    const { message, subject, expected } = error as Error & { subject?: string; expected?: string };
    port.postMessage({ error: { message, subject, expected } } satisfies Greeting);
    process.exit();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function carryOut(operation: Operation, values: Numbers): void {
  if (values.length <= MOST_VALUES) {
    const numbers = Float64Array.from(values);
    rollCall.meet(operation, numbers);
    values.set(numbers);
    together = false;
    return;
  }
  // After one large exchange the ranks are side by side: the next needs no meeting.
  if (!together) rollCall.meet(operation, new Float64Array(0));
  together = true;
  board.blockedWhile(() => (operation === 'allReduce' ? mpi.allReduce(values) : mpi.broadcast(values, 0)));
}

function serve(request: Request): void {
  board.begin();
  if (request.operation === 'neighbours') {
    rollCall.neighbours = request.pids;
    return;
  }
  const { id } = request;
  try {
    if (request.operation === 'fail') rollCall.fail(request.reason);
    else carryOut(request.operation, request.values);
    if (request.operation === 'close') board.blockedWhile(() => mpi.finalize());
    port.postMessage({ id } satisfies Reply);
  } catch (error) {
    const reply = error instanceof MeetingFailed ? { failed: error.failure } : { error: (error as Error).message };
    port.postMessage({ id, ...reply } satisfies Reply);
  }
  if (request.operation === 'close') process.exit();
}

port.on('message', serve);
if (size === expectedSize) setInterval(() => rollCall.hearFailures(), LISTEN_EVERY_MS).unref();
