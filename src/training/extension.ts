/**
 * More training for a run that was begun: what `more` and `moreSteps` mean. They count from the checkpoint that the run goes
 * on from, while `steps` and `time` count from its beginning; so a run that has used those up trains nothing until it is given
 * more.
 *
 * The learning rate is a function of the step and of the number of all steps (schedule.ts). With more steps it goes on where a
 * run of the new length would be: up from the little that was left, and down to its end again.
 */

import { shellWord } from '../settings/commandLine.js';
import { settingName } from '../settings/settingNames.js';
import type { TrainerProgress } from './progress.js';
import type { TrainingSettings } from './trainingSettings.js';

/** Where a run ends, counted from its beginning: whichever comes first. */
export interface Limits {
  readonly steps?: number;
  readonly timeMs?: number;
}

/** What a run was given more, and where it stood then. Kept with the run, as a checkpoint comes only later. */
export interface Extension extends Limits {
  /** Steps done. */
  readonly step: number;
  /** Time in training by then. */
  readonly elapsedMs: number;
  /** How many steps there may be in all by the pace so far; stands in for their number until the time has been measured. */
  readonly expectedSteps?: number;
  /** As it was given. */
  readonly given: { readonly more?: string; readonly moreSteps?: number };
}

type More = Pick<TrainingSettings, 'more' | 'moreMs' | 'moreSteps'>;

/** A pace that was measured on less steps says little. */
const LEAST_EXPECTED = 100;

/**
 * What more training means for a run that stands at a step; undefined when none was asked for. More time never shortens a run: where
 * its steps go on for longer than that by the pace so far, they stay, and with them its learning rates; the clock ends it. Else the
 * number of steps is measured anew.
 * @param before  steps of the whole run as it was planned, where that is known
 */
export function extensionOf(
  { more, moreMs, moreSteps }: More,
  { step, elapsedMs }: TrainerProgress,
  before: number | undefined,
): Extension | undefined {
  const given = { ...(more !== undefined && { more }), ...(moreSteps !== undefined && { moreSteps }) };
  if (moreSteps !== undefined) {
    const timeMs = moreMs === undefined ? {} : { timeMs: Math.ceil(elapsedMs + moreMs) };
    return { step, elapsedMs, steps: step + moreSteps, ...timeMs, given };
  }
  if (moreMs === undefined) return undefined;
  const timeMs = Math.ceil(elapsedMs + moreMs);
  const expected = elapsedMs > 0 ? Math.round((step / elapsedMs) * moreMs) : 0;
  const isLonger = before !== undefined && expected > 0 && before - step >= expected;
  const steps = isLonger ? { steps: before } : { expectedSteps: step + Math.max(LEAST_EXPECTED, expected) };
  return { step, elapsedMs, timeMs, ...steps, given };
}

/** The settings of a run with the limits that it was given. */
export function withLimits<T extends { steps?: number; time?: string }>(
  settings: T,
  { steps, timeMs }: Limits,
): Omit<T, 'steps' | 'time'> & { steps?: number; time?: string } {
  const { steps: _, time: __, ...rest } = settings;
  return { ...rest, ...(steps !== undefined && { steps }), ...(timeMs !== undefined && { time: `${timeMs}ms` }) };
}

/** Why a call trained no step. */
export interface NothingTrained {
  /** What was used up. */
  readonly reason: 'steps' | 'time' | 'patience';
  /** A sentence without its full stop. */
  readonly message: string;
  /** What to do, a full sentence. */
  readonly advice: string;
}

/** What there was for a run that had nothing left to train. */
export interface UsedUp {
  readonly settings: Pick<TrainingSettings, 'steps' | 'time'>;
  readonly limits: Limits;
  readonly extension?: Extension;
  readonly progress: TrainerProgress;
  /** Whether the evaluations said that it is at its end. */
  readonly isOutOfPatience?: boolean;
  /** Where the command line finds the run. */
  readonly folder?: string;
  readonly command?: TrainingCommandName;
}

/** The command that a run is made and resumed with, for advice. Fine-tuning is given more steps only. */
export type TrainingCommandName = 'pretrain' | 'finetune';

/** Says that no step was trained, why, and how to give the run more. */
export function nothingTrained(run: UsedUp): NothingTrained {
  const { step, totalSteps, best } = run.progress;
  if (run.isOutOfPatience) {
    return {
      reason: 'patience',
      message: `No step was trained: the run ended early at step ${step}, after ${best?.since} evaluations in a row without a better one`,
      advice: `A larger ${settingName('patience')} goes on; ${howToGiveMore(run, 'steps')}`,
    };
  }
  const reason = totalSteps !== undefined && step >= totalSteps ? 'steps' : 'time';
  return {
    reason,
    message: `No step was trained: ${reason === 'steps' ? stepsUsed(run) : timeUsed(run)}`,
    advice: howToGiveMore(run, reason),
  };
}

function stepsUsed({ limits, progress: { step, totalSteps } }: UsedUp): string {
  const done = totalSteps === step ? `all ${step} steps of the run are done` : `the run stands at step ${step}`;
  if (limits.steps !== undefined)
    return totalSteps === step ? done : `${done}, beyond the ${limits.steps} that were asked for`;
  return `${done}; their number was set when its time was measured, and another time does not change it`;
}

function timeUsed({ progress: { elapsedMs }, limits: { timeMs = 0 } }: UsedUp): string {
  const [used, time] = [elapsedMs, timeMs].map(durationText);
  return `the run has trained for ${used} already, and its time is ${time}, counted from its beginning`;
}

/** The same again: what was given last, else what the run had. */
function howToGiveMore(
  { settings, limits, extension, progress, folder, command }: UsedUp,
  reason: 'steps' | 'time',
): string {
  const { steps = progress.totalSteps, time = '10m' } = settings;
  // Steps and time that are not the extension's were given after it.
  const isLast = extension?.steps === limits.steps && extension?.timeMs === limits.timeMs;
  const again = (isLast && extension?.given) || {};
  const isSteps = reason === 'steps' && (again.moreSteps !== undefined || settings.steps !== undefined);
  const moreSteps = again.moreSteps ?? Math.max(1, steps ?? 1);
  const more = again.more ?? time;
  const name = (setting: string) =>
    folder === undefined ? setting : { more: '--more', moreSteps: '--more-steps' }[setting];
  const bySteps = `${resumeAdvice(folder, { moreSteps }, command)} trains ${moreSteps} steps more from here`;
  if (command === 'finetune') return `${bySteps}.`;
  return isSteps
    ? `${bySteps}; ${name('more')} takes a time, such as 1h.`
    : `${resumeAdvice(folder, { more })} trains ${more} more from here; ${name('moreSteps')} takes a number of steps.`;
}

/** How to give a run more: the command, or the settings where it is in no folder. */
export function resumeAdvice(
  folder: string | undefined,
  { more, moreSteps }: Extension['given'],
  command: TrainingCommandName = 'pretrain',
): string {
  if (folder === undefined) {
    return `With resume, ${moreSteps === undefined ? `more ${JSON.stringify(more)}` : `moreSteps ${moreSteps}`}`;
  }
  const amount = moreSteps === undefined ? `--more ${more}` : `--more-steps ${moreSteps}`;
  return `\`pleiad ${command} --resume --out ${shellWord(folder)} ${amount}\``;
}

/** "1 h 3 min", "4.2 s": the two largest units, or one with a digit after the point. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
