import { type CommandResult, EXIT } from './command.js';
import type { Output } from './output.js';

/**
 * Ctrl-C and SIGTERM: the first asks the work to end well, the second ends the process at once. SIGUSR2 asks too: it is
 * what launchers of many processes hand on (Open MPI's mpirun) or send before the time is over (sbatch --signal).
 */
const SIGNALS: readonly NodeJS.Signals[] =
  process.platform === 'win32' ? ['SIGINT', 'SIGTERM'] : ['SIGINT', 'SIGTERM', 'SIGUSR2'];

export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  stop(): void;
}

/** @param onFirst  called when the first signal arrives, to say what happens now */
export function listenForInterrupts(onFirst: () => void): Interrupts {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) return leave();
    controller.abort();
    onFirst();
  };
  const stop = () => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  /**
   * Dies of SIGINT, which a shell shows as exit code 130. `process.exit` would wait for the engine's worker thread, and
   * that for the step under way: minutes for a large model, and then the runtime aborts.
   */
  function leave(): void {
    stop();
    process.kill(process.pid, 'SIGINT');
  }
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, stop };
}

/**
 * Waits for a first signal, then ends what runs until then.
 * @param end  a second signal ends the process at once
 */
export async function runUntilInterrupted(onFirst: () => void, end: () => Promise<void>): Promise<void> {
  const interrupts = listenForInterrupts(onFirst);
  await new Promise<void>((resolve) => {
    if (interrupts.signal.aborted) resolve();
    interrupts.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await end();
  interrupts.stop();
}

/**
 * Runs work that a first signal stops; what it then throws is the interruption.
 * @param work  removes what it wrote when it is stopped
 */
export async function untilInterrupted(
  output: Output,
  work: (signal: AbortSignal) => Promise<CommandResult>,
): Promise<CommandResult> {
  const interrupts = listenForInterrupts(() => output.line('interrupted: removing what was written'));
  try {
    return await work(interrupts.signal);
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    return { json: { status: 'interrupted' }, exitCode: EXIT.interrupted };
  } finally {
    interrupts.stop();
  }
}
