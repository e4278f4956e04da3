/** Fine-tuning several times with different seeds: what a task reaches is a spread, and now and then a run learns nothing. */
import { join } from 'node:path';
import { checkpointOf, readRunFile } from '../checkpoint/runFile.node.js';
import { readTrainerFile } from '../checkpoint/trainerFile.node.js';
import { readTrials, type Trial, type Trials, writeTrials } from '../checkpoint/trialsFile.node.js';
import { fromFirst } from '../collective/agreement.js';
import { ALONE } from '../collective/collective.js';
import { CheckpointError, SettingsError } from '../errors/errors.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import { defined } from '../training/defined.js';
import type { TrainingEvent } from '../training/events.js';
import { type FineTuneOptions, finetune } from './finetune.node.js';
import { type FineTuningInput, resolveFineTuningSettings } from './settings.js';
import { type Spread, spreadOf } from './spread.js';
import { taskNamed } from './tasks.js';

export interface TrialStartedEvent {
  readonly type: 'trial-started';
  readonly seed: number;
  /** The run's folder. */
  readonly out: string;
  /** From 1; more than `wanted` where some got stuck. */
  readonly number: number;
  readonly wanted: number;
}

export interface TrialEvent {
  readonly type: 'trial';
  readonly trial: Trial;
}

/** All trials have ended. */
export interface TrialsEvent extends Trials {
  readonly type: 'trials';
  /** Of the scores of those that are not stuck; of all where every one is. */
  readonly spread: Spread;
}

/**
 * Fine-tunes `trials` times, with the seeds `seed`, `seed + 1`, …, each in a folder `trial-…` of `given.out`; that folder then
 * stands for the best of them. A trial that reaches no more than a constant answer is reported, does not count, and is
 * repeated with a further seed, as long as there are no more than twice `trials` (Devlin et al. 2018, §4.1, restarted runs
 * on small data for this reason). With `given.resume`, trials that have ended stay, and the one that was interrupted goes on.
 * @throws SettingsError when `trials` is no whole number from 2; CheckpointError when there are trials and it is no resuming;
 *         and what `finetune` throws
 */
export async function* finetuneTrials(
  given: Partial<FineTuningInput>,
  { trials: wanted, ...options }: FineTuneOptions & { readonly trials: number },
): AsyncGenerator<TrainingEvent | TrialStartedEvent | TrialEvent | TrialsEvent, void, undefined> {
  const folder = checkedFolder(given, wanted);
  const collective = options.collective ?? ALONE;
  const isFirst = collective.rank === 0;
  const begun = await fromFirst(collective, isFirst ? readTrials(folder) : undefined);
  if (begun && !given.resume) {
    throw new CheckpointError(`${folder} holds ${begun.trials.length} trials already`, {
      subject: folder,
      advice: `Go on with ${settingWith('resume', 'true')}, or name another folder`,
    });
  }
  const trials: Trial[] = [...(begun?.trials ?? [])];
  while (counted(trials).length < wanted && trials.length < 2 * wanted) {
    const number = trials.length + 1;
    const seed = Number(given.seed ?? 0) + trials.length;
    const name = `trial-${number}`;
    const out = join(folder, name);
    yield { type: 'trial-started', seed, out, number, wanted };
    const resume = given.resume && (await fromFirst(collective, isFirst && readRunFile(out) !== undefined));
    for await (const event of finetune({ ...given, seed, out, resume }, options)) {
      yield event;
      if (event.type === 'done' && event.interrupted) return;
    }
    const own = isFirst ? readTrainerFile(checkpointOf(out, 'best')).evaluation : undefined;
    const evaluation = (await fromFirst(collective, own))!;
    const isStuck = taskNamed(String(given.task)).isConstant?.(evaluation.metrics) ?? false;
    const trial: Trial = { seed, folder: name, evaluation, isStuck };
    trials.push(trial);
    if (isFirst) await writeTrials(folder, { trials, best: bestOf(trials).folder });
    yield { type: 'trial', trial };
  }
  const scores = (counted(trials).length > 0 ? counted(trials) : trials).map(({ evaluation }) => evaluation.score);
  yield { type: 'trials', trials, best: bestOf(trials).folder, spread: spreadOf(scores) };
}

/** The folder of the trials. @throws SettingsError with every problem of the settings */
function checkedFolder(given: Partial<FineTuningInput>, trials: number): string {
  const isNumber = Number.isInteger(trials) && trials >= 2;
  const problems = isNumber ? [] : [`${settingName('trials')} is ${trials}; expected a whole number from 2`];
  try {
    const { out } = resolveFineTuningSettings(defined(given));
    if (problems.length === 0) return out;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    problems.push(...error.problems);
  }
  throw new SettingsError(problems);
}

const counted = (trials: readonly Trial[]) => trials.filter(({ isStuck }) => !isStuck);

/** The first of the best. */
function bestOf(trials: readonly Trial[]): Trial {
  const isBetter = ({ evaluation: a }: Trial, { evaluation: b }: Trial) =>
    a.better === 'lower' ? a.score < b.score : a.score > b.score;
  return trials.reduce((best, trial) => (isBetter(trial, best) ? trial : best));
}
