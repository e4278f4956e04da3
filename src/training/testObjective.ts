/** A tiny learnable objective and its data, for tests of the trainer: the token after another is a function of it. */
import { gradients } from '../autodiff/gradients.js';
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { Tensor, Tensors } from '../engine/engine.js';
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import { encoderConfig } from '../models/config.js';
import type { HeldOutData } from '../pretraining/heldOut.js';
import type { PretrainingObjective } from '../pretraining/pretrainingObjective.js';
import { pretrainingObjective } from '../pretraining/pretrainingObjective.js';
import { RandomStream } from '../random/philox.js';
import type { LossCounts, ParameterSpec, Phase } from './objective.js';
import type { TrainingData } from './stepFeeds.js';
import { firstRowOf, type StepShare } from './stepShare.js';

export const TEST_VOCABULARY = 7;
const V = TEST_VOCABULARY;
const LENGTH = 8;

/** The successor of each token. */
const next = (token: number) => (3 * token + 1) % V;

/**
 * Rows whose every token follows from the one before; each row masks one to three of its slots.
 * @param scale  multiplies the weights of a step's slots; NaN makes the step's loss NaN
 */
function batchAt(
  step: number,
  firstRow: number,
  { rows, purpose, scale = 1 }: { rows: number; purpose: 'test' | 'evaluation'; scale?: number },
): MaskedBatch {
  const inputIds = new Int32Array(rows * LENGTH);
  const positions: number[] = [];
  for (let row = 0; row < rows; row++) {
    // A row is numbered within its step: 2 × 4 rows are the same as 1 × 8.
    const random = new RandomStream(5, purpose, step, firstRow + row);
    let token = random.integer(V);
    for (let i = 0; i < LENGTH; i++, token = next(token)) inputIds[row * LENGTH + i] = token;
    const slots = 1 + random.integer(3);
    for (let slot = 0; slot < slots; slot++) positions.push(row * LENGTH + 1 + 2 * slot);
  }
  const maskedPositions = Int32Array.from(positions);
  return {
    batchSize: rows,
    length: LENGTH,
    inputIds,
    maskedInputIds: inputIds,
    tokenTypeIds: new Int32Array(rows * LENGTH),
    attentionMask: new Int32Array(rows * LENGTH).fill(1),
    maskedPositions,
    maskedIds: maskedPositions.map((position) => inputIds[position]),
    maskedWeights: new Float32Array(positions.length).fill(scale),
  };
}

/**
 * @param share     the rows of a rank, or the rows of each micro-batch of the only rank
 * @param badSteps  steps whose loss is NaN
 */
export function testData(
  share: Omit<StepShare, 'microBatches'> | number,
  badSteps: (step: number) => boolean = () => false,
): TrainingData<MaskedBatch> {
  const place = typeof share === 'number' ? { rank: 0, size: 1, rows: share } : share;
  return {
    batch: (step, microBatch) =>
      batchAt(step, firstRowOf(place, microBatch), {
        rows: place.rows,
        purpose: 'test',
        scale: badSteps(step) ? Number.NaN : 1,
      }),
  };
}

export const testHeldOut: HeldOutData = {
  numBatches: 3,
  batchSize: 4,
  batch: (index) => batchAt(index, 0, { rows: 4, purpose: 'evaluation' }),
  unigramEntropy: Math.log(V),
  unigramCrossEntropy: Math.log(V),
  unigramAccuracy: 1 / V,
};

const spec = (name: string, shape: number[], initializer: ParameterSpec['initializer'] = 'truncatedNormal') => ({
  name,
  shape,
  initializer,
});

/** One table of logits a half: `first` is trained in the first phase, `second`, which starts as its copy, in the other. */
class TablePhase implements Phase<MaskedBatch> {
  constructor(
    readonly name: string,
    private readonly half: string,
    readonly share: number,
    readonly copies: readonly (readonly [string, string])[],
  ) {}

  trains(name: string): boolean {
    return name.startsWith(`${this.half}.`);
  }
  #loss(g: GraphBuilder): Node {
    const table = g.state(`${this.half}.table.weight`, [V, V]);
    const bias = g.state(`${this.half}.table.bias`, [V]);
    const logits = g.add(g.gather(table, g.input('context', 'int32', ['slots'])), bias);
    const labels = g.input('labels', 'int32', ['slots']);
    const weights = g.input('weights', 'float32', ['slots']);
    const sum = g.reduceSum(g.mul(g.softmaxCrossEntropy(logits, labels), weights));
    g.output('mlmLossSum', sum);
    g.output('mlmCorrect', g.reduceSum(g.cast(g.equal(g.argMax(logits), labels), 'float32')));
    return sum;
  }
  trainingGraph({ accumulate }: { accumulate: boolean }): Graph {
    const g = new GraphBuilder();
    const loss = g.mul(this.#loss(g), g.input('scale', 'float32', []));
    for (const { name, shape } of PARAMETERS.filter((parameter) => this.trains(parameter.name))) {
      const parameter = g.state(name, shape);
      const gradient = gradients(g, loss, [parameter]).get(parameter)!;
      const state = `gradient:${name}`;
      g.update(state, accumulate ? g.add(g.state(state, shape), gradient) : gradient);
    }
    return g.build();
  }
  evaluationGraph(): Graph {
    const g = new GraphBuilder();
    this.#loss(g);
    return g.build();
  }
  counts({ maskedPositions }: MaskedBatch): LossCounts {
    return { mlm: maskedPositions.length };
  }
  feeds(batch: MaskedBatch, _draw: unknown, total?: LossCounts): Tensors {
    const shape = [batch.maskedPositions.length];
    const ids = (data: Int32Array): Tensor => ({ dtype: 'int32', shape, data });
    return {
      context: ids(batch.maskedPositions.map((position) => batch.inputIds[position - 1])),
      labels: ids(batch.maskedIds),
      weights: { dtype: 'float32', shape, data: batch.maskedWeights },
      ...(total && { scale: { dtype: 'float32', shape: [], data: Float32Array.of(1 / total.mlm!) } }),
    };
  }
}

const PARAMETERS = ['first', 'second'].flatMap((half) => [
  spec(`${half}.table.weight`, [V, V]),
  spec(`${half}.table.bias`, [V], 'zeros'),
]);

/** @param phases  1 trains `first` alone; 2 trains `second` in the later half, from a copy of `first` */
export function testObjective(phases: 1 | 2 = 1): PretrainingObjective {
  const copies = ['weight', 'bias'].map((part) => [`first.table.${part}`, `second.table.${part}`] as const);
  const first = new TablePhase('first', 'first', 1 / phases, []);
  return pretrainingObjective({
    name: 'test',
    parameters: PARAMETERS,
    models: [
      {
        folder: 'generator',
        architecture: 'ElectraForMaskedLM',
        config: encoderConfig('tiny', V),
        // `second` is in no model: a checkpoint keeps it all the same.
        tensors: new Map(['weight', 'bias'].map((part) => [`table.${part}`, `first.table.${part}`])),
      },
    ],
    lossWeights: { mlm: 1 },
    phases: phases === 1 ? [first] : [first, new TablePhase('second', 'second', 0.5, copies)],
  });
}
