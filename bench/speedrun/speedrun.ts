/**
 * Minutes to a held-out loss: Pleiad and PyTorch + transformers, each with the short recipe and with the paper's settings, for the same
 * time, from the same text, vocabulary and starting weights, measured by the same evaluator at the same minutes. Only training counts.
 * Every measurement is a line of a file; what stands there is not made again, and a cell that was interrupted goes on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openShards, type ShardFolder } from '../../src/data/shards.node.js';
import type { EngineName, PrecisionName } from '../../src/engine/engineNames.js';
import { type PretrainingInput, resolvePretrainingSettings } from '../../src/pretraining/settings.js';
import { loadTokenizer } from '../../src/text/tokenizer.node.js';
import { prepareEnglishText } from '../englishText.js';
import { LoadMeter } from '../machineLoad.js';
import { say } from '../report.js';
import { ResultLines } from '../resultLines.js';
import { readCorruptions } from './corruptions.js';
import { heldOutRows, keptHeldOutRows, measurePair, type PairFolders, type PairMeasures } from './measure.js';
import { PleiadSide } from './pleiadSide.js';
import type { Side, Standing } from './side.js';
import {
  type CellName,
  marksOf,
  type SpeedrunKey,
  type SpeedrunPoint,
  speedrunPicture,
  speedrunTable,
} from './speedrunTable.js';
import { TorchSide } from './torchSide.js';

export interface SpeedrunOptions {
  /** Folder of the data sets, with text-en/ and squad/. */
  readonly data: string;
  /** Corpus, shards, masks and runs. */
  readonly out: string;
  /** Of training, a cell. */
  readonly minutes: number;
  readonly cells: readonly CellName[];
  readonly seed: number;
  readonly threads: number;
  readonly engine?: EngineName;
  readonly precision?: PrecisionName;
  readonly torchPrecision: 'auto' | 'fp32' | 'bf16';
  readonly python?: string;
  /** File of results, JSON Lines. Default results.jsonl in `out`. */
  readonly results?: string;
  /** Folder to draw in. */
  readonly pictures?: string;
  readonly signal?: AbortSignal;
}

export interface SpeedrunResult {
  readonly name: 'speedrun';
  readonly points: readonly SpeedrunPoint[];
  /** Measurements that are still to be made; not 0 only after an interruption. */
  readonly missing: number;
  readonly table: string;
}

const HELD_OUT = ['leipzig', 'enwiki'];

export async function runSpeedrun(options: SpeedrunOptions): Promise<SpeedrunResult> {
  const { data, out, minutes: budget, seed, threads, signal } = options;
  const { corpus, shards: folder } = prepareEnglishText({ data, out });
  const shards = await openShards(folder);
  const results = new PointFile(options.results ?? join(out, 'results.jsonl'));
  try {
    const tokenizer = loadTokenizer(shards.tokenizerFolder);
    const heldOut = await keptHeldOutRows(join(out, 'held-out.json'), () =>
      heldOutRows(
        HELD_OUT.map((name) => readFileSync(join(corpus, `held-out/${name}.txt`), 'utf8')).join('\n'),
        tokenizer,
        0,
      ),
    );
    const corruptions = readCorruptions();
    const measure = (models: PairFolders) => measurePair(models, { heldOut, corruptions, threads });
    for (const cell of options.cells) {
      const key = { cell, budget, seed, threads };
      await runCell(key, { results, measure, signal, tell: say, open: () => openSide(key, options, shards) });
    }
  } finally {
    shards.close();
  }
  const keys = options.cells.map((cell) => ({ cell, budget, seed, threads }));
  const points = keys.flatMap((key) => results.of(key));
  const missing = keys.reduce((sum, key) => sum + missingMarks(key, results.of(key)).length, 0);
  if (options.pictures !== undefined) writeFileSync(join(options.pictures, 'speedrun.svg'), speedrunPicture(points));
  return { name: 'speedrun', points, missing, table: speedrunTable(points) };
}

export class PointFile {
  readonly #file: ResultLines<SpeedrunPoint>;

  constructor(path: string) {
    this.#file = new ResultLines(path);
  }

  /** The points of one cell. */
  of({ cell, budget, seed, threads }: SpeedrunKey): SpeedrunPoint[] {
    return this.#file.lines.filter(
      (point) => point.cell === cell && point.budget === budget && point.seed === seed && point.threads === threads,
    );
  }

  add(point: SpeedrunPoint): void {
    this.#file.add(point);
  }
}

/** Marks that are neither measured nor passed: of those that a run went by without a stop, the last one alone counts. */
export function missingMarks({ budget }: SpeedrunKey, points: readonly SpeedrunPoint[]): number[] {
  const last = points.reduce((latest, { mark }) => Math.max(latest, mark), 0);
  return marksOf(budget).filter((mark) => mark > last);
}

export interface CellContext {
  readonly results: PointFile;
  readonly measure: (models: PairFolders) => Promise<PairMeasures>;
  readonly open: () => Promise<Side>;
  readonly signal?: AbortSignal;
  /** Told each measurement in words. */
  readonly tell: (line: string) => void;
}

/** Trains a cell from mark to mark, and measures it at each; a run that stands at one already is measured first. */
export async function runCell(key: SpeedrunKey, { results, measure, open, signal, tell }: CellContext): Promise<void> {
  if (signal?.aborted || missingMarks(key, results.of(key)).length === 0) return;
  const side = await open();
  try {
    let standing = await side.standing();
    for (;;) {
      const [mark, ...later] = missingMarks(key, results.of(key));
      if (mark === undefined || signal?.aborted) return;
      const othersCores = await othersWhile(side, async () => {
        // Without models, as after a kill between two marks, it trains a step and writes them.
        if (!standing?.models || !hasReached(standing, mark, later.length === 0)) {
          standing = await side.trainUntil(later.length === 0 ? Number.MAX_SAFE_INTEGER : mark * 60_000, signal);
        }
      });
      if (!standing?.models || !hasReached(standing, mark, later.length === 0)) return; // interrupted
      const { elapsedMs, steps, tokens, engine, isOver } = standing;
      const reached = isOver ? key.budget : (later.filter((other) => other * 60_000 <= elapsedMs).at(-1) ?? mark);
      const point = {
        ...key,
        mark: reached,
        minutes: elapsedMs / 60_000,
        steps,
        tokens,
        ...(await measure(standing.models)),
        engine,
        ...(othersCores !== undefined && { othersCores }),
      };
      results.add(point);
      tell(
        `${key.cell}, minute ${point.minutes.toFixed(1)}: step ${steps}, loss ${point.loss.toFixed(3)}, AUC ${point.auc.toFixed(3)}`,
      );
    }
  } finally {
    await side.close();
  }
}

/** The last mark is where a run ends, which planned its steps for the whole time and may be a little early or late. */
function hasReached({ elapsedMs, isOver }: Standing, mark: number, isLast: boolean): boolean {
  return isOver || (!isLast && elapsedMs >= mark * 60_000);
}

async function othersWhile(side: Side, work: () => Promise<void>): Promise<number | undefined> {
  const meter = new LoadMeter(side.pids);
  await work();
  const cores = meter.othersCores();
  return cores === undefined ? undefined : Number(cores.toFixed(2));
}

/** What Pleiad's run of a cell is given; PyTorch's has the same settings. */
function inputOf({ cell, budget, seed }: SpeedrunKey, { threads, engine, precision }: SpeedrunOptions, shards: string) {
  const recipe = cell.endsWith('paper') ? 'paper' : 'short';
  return {
    data: shards,
    recipe,
    size: 'mini',
    time: `${Math.round(60 * budget)}s`,
    seed,
    threads,
    ...(engine && { engine }),
    ...(precision && { precision }),
  } satisfies Partial<PretrainingInput>;
}

async function openSide(key: SpeedrunKey, options: SpeedrunOptions, shards: ShardFolder): Promise<Side> {
  const input = inputOf(key, options, shards.source);
  const { cell, budget, seed, threads } = key;
  const out = join(options.out, 'cells', `${cell}-${budget}min-seed${seed}-${threads}threads`);
  if (cell.startsWith('pleiad')) return new PleiadSide({ ...input, out });
  const settings = resolvePretrainingSettings({ ...input, out });
  const { torchPrecision, python } = options;
  return TorchSide.start({
    settings,
    shards,
    out,
    budgetMs: budget * 60_000,
    precision: torchPrecision,
    threads,
    python,
  });
}
