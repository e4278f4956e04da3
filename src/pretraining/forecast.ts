/**
 * What a run can be expected to reach, said before it is trained: by the number of steps that it will have, from runs that were
 * recorded (docs/results.md), and which other size and row length would do better in the same time.
 */
import { SIZES, type SizeName } from '../models/config.js';
import { commandLine } from '../settings/commandLine.js';
import { parseDuration } from '../settings/durations.js';
import { modelConfigs } from './modelConfigs.js';
import { definitionOf, trainsGenerator } from './objectives.js';
import { slotsPerRow } from './pretrainingData.js';
import { accumulationAt } from './runSchedule.js';
import type { PretrainingInput, PretrainingSettings } from './settings.js';

/** What recorded runs of so many steps knew. */
export type Reach = 'frequencies' | 'beginning' | 'learned';

export interface Forecast {
  /** Steps that the run is expected to have. */
  readonly steps: number;
  /** Whether their number is by a quick look at the engine, and not set or measured. */
  readonly isEstimate: boolean;
  readonly reach: Reach;
  /** A sentence without its full stop. */
  readonly message: string;
  /** What would do better, where something would. */
  readonly advice?: string;
}

/**
 * Runs of docs/results.md from random weights, `tiny` and `mini`, rows of 32 and 64 tokens. Few updates leave a model at word
 * frequencies, whatever its rows hold; so short rows, of which more updates fit in a time, do better in minutes.
 */
const STAGES: readonly {
  readonly below: number;
  readonly reach: Reach;
  readonly knew: string;
  readonly auc: string;
}[] = [
  {
    below: 1000,
    reach: 'frequencies',
    knew: 'less than 1,000 steps left the recorded runs knowing little more than how frequent words are',
    auc: 'AUC 0.51 to 0.57, where 0.5 is chance',
  },
  {
    below: 2500,
    reach: 'beginning',
    knew: 'with 1,000 to 2,500 steps the recorded runs had begun to learn from context',
    auc: 'AUC 0.57 to 0.72',
  },
  {
    below: Number.POSITIVE_INFINITY,
    reach: 'learned',
    knew: 'with 2,500 steps and more the recorded runs of tiny and mini had learned from context',
    auc: 'AUC 0.70 to 0.76 in English, 0.59 to 0.64 in Korean, where 0.5 is chance',
  },
];
/** Steps from which another choice is worth naming. */
const ENOUGH = 3000;

interface Shape {
  readonly size: SizeName;
  readonly length: number;
  /** Of a step. */
  readonly rows: number;
}

/** What may do better, the most capable first; steps of 1,000 to 2,000 tokens. */
const CHOICES: readonly Shape[] = [
  { size: 'small', length: 128, rows: 8 },
  { size: 'small', length: 64, rows: 16 },
  { size: 'mini', length: 64, rows: 16 },
  { size: 'mini', length: 32, rows: 32 },
  { size: 'tiny', length: 64, rows: 32 },
  { size: 'tiny', length: 32, rows: 32 },
];

export interface ForecastOf {
  readonly settings: PretrainingSettings;
  /** As they were given: what a suggested command keeps. */
  readonly given: Partial<PretrainingInput>;
  readonly vocabSize: number;
}

/** @param steps  undefined where nothing is known of their number yet */
export function forecast(run: ForecastOf, steps: number, { isEstimate }: { isEstimate: boolean }): Forecast {
  const { settings } = run;
  const { reach, knew, auc } = STAGES.find(({ below }) => steps < below)!;
  const hasAuc = definitionOf(settings).hasRecordedAuc;
  const { batchSize, accumulation, length, size, time } = settings;
  const shown = isEstimate ? roundish(steps) : steps;
  const count = `${isEstimate ? 'about ' : ''}${shown.toLocaleString('en-US')}`;
  const place = settings.steps === undefined ? ` in ${time}` : '';
  const rows = `${shown === 1 ? 'step' : 'steps'} of ${batchSize * accumulation} rows of ${length} tokens${place}, size ${size}`;
  const advice = reach === 'learned' ? undefined : better(run, steps);
  return {
    steps,
    isEstimate,
    reach,
    message: `${count} ${rows}; ${knew}${hasAuc ? ` (${auc})` : ''}`,
    ...(advice && { advice }),
  };
}

/** Two digits that count. */
function roundish(count: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, count))) - 1);
  return Math.max(1, Math.round(count / unit) * unit);
}

/** What would do better: in the same time another size and shorter rows, else more of it. */
function better(run: ForecastOf, steps: number): string | undefined {
  const { settings, given } = run;
  // Trained weights and a model of one's own sizes are there for a reason.
  if (settings.from !== undefined || Object.keys({ ...settings.model, ...settings.generator }).length > 0)
    return undefined;
  const best = bestChoice(run, steps);
  const { timeMs } = settings;
  if (settings.steps !== undefined || timeMs === undefined) {
    if (best && best.steps >= ENOUGH)
      return `${described(best)} in the same work. ${tryCommand(given, best, { steps: best.steps })}`;
    return `${ENOUGH.toLocaleString('en-US')} steps and more are worth having. ${tryCommand(given, undefined, { steps: ENOUGH })}`;
  }
  if (!best) return undefined;
  if (best.steps >= ENOUGH) return `${described(best)} in ${settings.time}. ${tryCommand(given, best, {})}`;
  const time = timeFor((timeMs * ENOUGH) / Math.max(1, best.steps));
  const enough = `${ENOUGH.toLocaleString('en-US')} are worth having, which take about ${time}`;
  return `${described(best)} in ${settings.time}; ${enough}. ${tryCommand(given, best, { time })}`;
}

interface Choice extends Shape {
  /** How many of its steps are as much work as the run. */
  readonly steps: number;
}

/** The most capable choice that has enough steps in the same work, else the one that has the most. */
function bestChoice({ settings, vocabSize }: ForecastOf, steps: number): Choice | undefined {
  const work = steps * stepFlops(settings, vocabSize);
  const isNoLarger = ({ size, length }: Shape) =>
    SIZES[size].layers <= SIZES[settings.size].layers && length <= settings.length;
  const choices = CHOICES.filter(isNoLarger).map((choice) => {
    const { size, length, rows } = choice;
    const other = { ...settings, size, length, batchSize: rows, accumulation: 1 };
    return { ...choice, steps: Math.floor(work / stepFlops(other, vocabSize)) };
  });
  return choices.find((choice) => choice.steps >= ENOUGH) ?? choices.at(-1);
}

function described({ size, length, rows, steps }: Choice): string {
  return `Size ${size} with ${rows} rows of ${length} tokens makes about ${counted(roundish(steps))}`;
}

const counted = (steps: number) => `${steps.toLocaleString('en-US')} ${steps === 1 ? 'step' : 'steps'}`;

/** The command, with all else as it was given, and a run folder of its own. */
function tryCommand(
  given: Partial<PretrainingInput>,
  choice: Choice | undefined,
  more: Pick<PretrainingInput, 'steps' | 'time'>,
): string {
  const { resume: _, out = 'run', batchSize, accumulation, size, length, steps, time, ...rest } = given;
  const shape = choice
    ? {
        size: choice.size,
        length: choice.length,
        // As many rows are the default of the smallest.
        ...(choice.size !== 'tiny' && { batchSize: choice.rows, accumulation: 1 }),
      }
    : { size, length, batchSize, accumulation };
  const name = choice ? `${choice.size}-${choice.length}` : `${more.steps}`;
  const folder = `${out.replace(/[/\\]+$/, '')}-${name}`;
  return `Try \`${commandLine('pretrain', { ...rest, out: folder, ...shape, steps, time, ...more })}\`.`;
}

/** A time that is easy to read, rounded up. */
function timeFor(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 120 ? `${minutes}m` : `${Math.ceil(minutes / 60)}h`;
}

/** Floating-point operations of a step: the matrix products of models/flops.ts in closed form. */
export function stepFlops(settings: PretrainingSettings, vocabSize: number): number {
  const { batchSize, accumulation, length } = settings;
  const { discriminator, generator } = modelConfigs(settings, { vocabSize, padTokenId: 0 });
  const tokens = batchSize * accumulation * length;
  const slots = batchSize * accumulation * slotsPerRow(settings);
  const encoder = (config: typeof discriminator): number => {
    const { numHiddenLayers: layers, hiddenSize: H, intermediateSize: F, embeddingSize: E } = config;
    return tokens * (layers * (8 * H * H + 4 * H * F + 4 * length * H) + (E === H ? 0 : 2 * E * H));
  };
  const head = ({ hiddenSize: H, embeddingSize: E }: typeof discriminator, positions: number): number =>
    positions * 2 * (H * E + E * vocabSize);
  const detection = tokens * 2 * (discriminator.hiddenSize ** 2 + discriminator.hiddenSize);
  const {
    detection: scores = 0,
    vocabularyAtSlots = 0,
    vocabularyAtTokens = 0,
  } = definitionOf(settings).headWork(settings);
  const main =
    scores * detection +
    vocabularyAtSlots * head(discriminator, slots) +
    vocabularyAtTokens * head(discriminator, tokens);
  const ofGenerator = trainsGenerator(settings) ? encoder(generator) + head(generator, slots) : 0;
  // Each product of the forward pass has two derivatives of its own size.
  return 3 * (encoder(discriminator) + main + ofGenerator);
}

/** The part of its speed in plain products that the engine keeps in a training step (docs/performance.md: 0.4 to 0.8). */
const KEPT_SPEED = 0.5;

/** The mean of a run's steps beside the last one, where their micro-batches become more or fewer. */
function meanBatch(settings: PretrainingSettings): number {
  const points = 100;
  const sum = Array.from({ length: points }, (_, i) => accumulationAt(settings, (i + 0.5) / points)).reduce(
    (total, each) => total + each,
    0,
  );
  return sum / points / settings.accumulation;
}

/** Steps that a time allows, by the engine's speed in plain matrix products. */
export function estimatedSteps({ settings, vocabSize }: Omit<ForecastOf, 'given'>, flopsPerSecond: number): number {
  const { timeMs = parseDuration(settings.time ?? '') ?? 0 } = settings;
  const seconds = (meanBatch(settings) * stepFlops(settings, vocabSize)) / (KEPT_SPEED * flopsPerSecond);
  return Math.max(1, Math.floor(timeMs / 1000 / seconds));
}
