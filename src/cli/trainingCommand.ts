/** A training as a command: ranks, interrupts, what is shown, and which code it ends with. */
import { type Collective, describeMember, PeerError } from '../collective/collective.js';
import { connectRanks } from '../collective/mpi/connect.node.js';
import { SettingsError } from '../errors/errors.js';
import { parseDuration } from '../settings/durations.js';
import { nameSettingsBy } from '../settings/settingNames.js';
import type { DoneEvent, TrainingEvent } from '../training/events.js';
import type { RunOptions } from '../training/trainToFolder.node.js';
import { type CommandResult, EXIT, type OptionDefinition, type OptionValues } from './command.js';
import { flagWording } from './flagNames.js';
import { hubView } from './hubView.js';
import { type Interrupts, listenForInterrupts } from './interrupts.js';
import { Output } from './output.js';
import type { TrainingView } from './trainingView.js';

export const CONFIG_FILE_OPTION: OptionDefinition = {
  flags: '--config <file>',
  description: 'settings in YAML or JSON, such as "learningRate: 1e-3" for --learning-rate; flags go over them',
};

export const RANK_TIMEOUT_OPTION: OptionDefinition = {
  flags: '--rank-timeout <duration>',
  description:
    'Under mpirun or srun: how long a rank may keep the others waiting before the run ends, such as 30s. Default 10m.',
  group: 'Engine',
  shownBy: 'all',
};

/** What a settings file alone gave is named as it stands there. */
export function nameSettingsOfFile(path: string, file: Record<string, unknown>, words: OptionValues): void {
  const settings = new Set(Object.keys(file).filter((name) => words[name] === undefined));
  nameSettingsBy(flagWording({ file: { path, settings } }));
}

/** A kind of training. */
export interface TrainingCommand {
  train(
    options: RunOptions & { readonly hub: { onHubEvent: ReturnType<typeof hubView>; signal: AbortSignal } },
  ): AsyncGenerator<TrainingEvent>;
  view(output: Output): Pick<TrainingView, 'show'>;
  /** The last words. `done` is undefined where every run had ended before. */
  summary(done: DoneEvent | undefined): string[];
  json(done: DoneEvent | undefined): object;
}

/** @param rankTimeout  the words of RANK_TIMEOUT_OPTION */
export async function runTraining(
  command: TrainingCommand,
  { output, rankTimeout }: { readonly output: Output; readonly rankTimeout: string | boolean | undefined },
): Promise<CommandResult> {
  const collective = await connectRanks({ timeoutMs: durationOf('--rank-timeout', rankTimeout) });
  const { rank, size } = collective;
  const own = rank > 0 ? Output.silent() : size > 1 ? output.plain() : output;
  const interrupts = listenForInterrupts(() => {
    own.line('interrupted: finishing the step and writing a checkpoint (again to leave at once)');
  });
  const teller = tellWaiting(interrupts, collective, own);
  try {
    return await train(command, { collective, interrupts, output: own });
  } catch (error) {
    return failureOfRank(error, collective);
  } finally {
    teller.stop();
    interrupts.stop();
    await collective.close();
  }
}

async function train(
  command: TrainingCommand,
  { collective, interrupts, output }: { collective: Collective; interrupts: Interrupts; output: Output },
): Promise<CommandResult> {
  const view = command.view(output);
  let done: DoneEvent | undefined;
  const warnings: string[] = [];
  const { signal } = interrupts;
  const hub = { onHubEvent: hubView(output), signal };
  for await (const event of command.train({ signal, collective, hub })) {
    view.show(event);
    if (event.type === 'warning') warnings.push(`${event.message}. ${event.advice}`);
    if (event.type === 'done') done = event;
  }
  // Launchers end all ranks when one leaves with another code than 0: that is for rank 0 to do, when all is written.
  if (collective.rank !== 0) return {};
  for (const line of command.summary(done)) output.line(line);
  const isInterrupted = done?.interrupted === true;
  if (isInterrupted) output.line('Go on with --resume.');
  return { json: { ...command.json(done), warnings }, exitCode: isInterrupted ? EXIT.interrupted : EXIT.success };
}

/**
 * Rank 0 tells what happened as any command does. The others tell only what happened to themselves, and the first of them
 * also what happened to rank 0, which may be unable to.
 */
function failureOfRank(error: unknown, { rank, size, members }: Collective): CommandResult {
  if (rank === 0) throw error;
  if (!(error instanceof PeerError) || speaksForFirst(error, rank)) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`pleiad: ${describeMember(members[rank])} of ${size}: ${message}\n`);
  }
  return { exitCode: error instanceof SettingsError ? EXIT.usage : EXIT.failure };
}

function speaksForFirst({ members, failure }: PeerError, rank: number): boolean {
  if (failure === 'failed') return false; // it has spoken
  const gone = new Set(members.map((member) => member.rank));
  const speaker = Array.from({ length: rank + 1 }, (_, of) => of).find((of) => !gone.has(of));
  return gone.has(0) && speaker === rank;
}

/**
 * When to look after a signal: launchers that end all ranks because one is gone send SIGTERM, and SIGKILL a second later or
 * sooner. On a busy machine the step may not have come to its end by then, and a launcher may have been set to wait longer.
 */
const LOOK_AFTER_MS = [0, 200, 600, 1500, 3000, 6000];
/** Ranks in good health wait for one another for less. */
const LONG_WAIT_MS = 500;

/**
 * A signal may come from a launcher because another rank is gone; then the step under way never ends. So rank 0 says for
 * whom it waits, while it still can.
 */
function tellWaiting({ signal }: Interrupts, collective: Collective, output: Output): { stop(): void } {
  let timers: NodeJS.Timeout[] = [];
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
  };
  const look = () => {
    const { members, elapsedMs } = collective.waiting();
    if (members.length === 0 || elapsedMs < LONG_WAIT_MS) return;
    stop();
    output.line(
      `still waiting for ${members.map(describeMember).join(', ')}: if that has ended, the run ends here; go on from its newest checkpoint with --resume`,
    );
  };
  signal.addEventListener('abort', () => {
    timers = LOOK_AFTER_MS.map((ms) => setTimeout(look, ms).unref());
  });
  return { stop };
}

function durationOf(flag: string, words: string | boolean | undefined): number | undefined {
  if (words === undefined) return undefined;
  const ms = parseDuration(String(words));
  if (ms === undefined) throw new SettingsError([`${flag} is ${words}; expected a duration such as 30s or 10m`]);
  return ms;
}

/** The result of a command that makes one run. */
export function resultOf(done: DoneEvent | undefined): DoneEvent {
  if (!done) throw new Error('training ended without a result');
  return done;
}
