/**
 * A phase of an objective as graphs, from a function that builds its losses: the weighted total, the gradients, and what
 * to feed. A loss is a sum over tokens; a fed scale, 1 over their number in the whole step, turns it into a mean.
 */
import { gradients } from '../autodiff/gradients.js';
import type { Tensors } from '../engine/engine.js';
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import { MASKED } from '../models/vocabularyHead.js';
import { BATCH, Dropout, type DropoutSite, LENGTH } from '../nn/layers.js';
import { ParameterScope, type ParameterSpec } from '../nn/parameters.js';
import { runPasses } from '../passes/passes.js';
import { type BatchInputs, batchFeeds, declareBatchInputs, float32Tensor } from '../pretraining/maskedInputs.js';
import { dropoutFeeds } from './dropoutMasks.js';
import type { DrawKey, LossCounts, LossName, MaskedBatch, ObjectivePhase } from './objective.js';

/** The parts of a graph under construction. */
export interface Build {
  readonly g: GraphBuilder;
  readonly root: ParameterScope;
  readonly dropout: Dropout;
  readonly inputs: BatchInputs;
}

/** A loss as its weighted sum over tokens, and its weight in the total. */
export interface Loss {
  readonly name: LossName;
  readonly sum: Node;
  readonly weight: number;
}

export interface PhaseDefinition {
  readonly name: string;
  /** Of all steps; 1 by default. */
  readonly share?: number;
  readonly copies?: readonly (readonly [string, string])[];
  /** All parameters by default. */
  trains?(name: string): boolean;
  /** Builds the losses that are minimised, naming outputs on the way. Outputs that are no scalars are for evaluation. */
  build(build: Build): Loss[];
  counts(batch: MaskedBatch): LossCounts;
  /** What the graph reads beside the batch itself. */
  feeds?(batch: MaskedBatch, draw: DrawKey): Tensors;
}

export class GraphPhase implements ObjectivePhase {
  readonly name: string;
  readonly share: number;
  readonly copies: readonly (readonly [string, string])[];
  readonly #definition: PhaseDefinition;
  #sites: readonly DropoutSite[] = [];

  constructor(definition: PhaseDefinition) {
    this.#definition = definition;
    this.name = definition.name;
    this.share = definition.share ?? 1;
    this.copies = definition.copies ?? [];
  }

  trains(name: string): boolean {
    return this.#definition.trains?.(name) ?? true;
  }

  #build(training: boolean): Build & { losses: Loss[] } {
    const g = new GraphBuilder();
    const build = { g, root: new ParameterScope(g), dropout: new Dropout(training), inputs: declareBatchInputs(g) };
    return { ...build, losses: this.#definition.build(build) };
  }

  /** The parameters of this phase's graph, by building it. */
  parameters(): ParameterSpec[] {
    return this.#build(false).root.specs;
  }

  trainingGraph({ accumulate }: { accumulate: boolean }): Graph {
    const { g, root, dropout, losses } = this.#build(true);
    this.#sites = dropout.sites;
    const total = losses
      .map(({ name, sum, weight }) => g.mul(g.mul(sum, g.input(`${name}Scale`, 'float32', [])), g.scalar(weight)))
      .reduce((a, b) => g.add(a, b));
    const trained = root.specs.filter(({ name }) => this.trains(name));
    const parameters = trained.map(({ name, shape }) => g.state(name, shape));
    const derivatives = gradients(g, total, parameters);
    for (const [i, { name, shape }] of trained.entries()) {
      const gradient = derivatives.get(parameters[i])!;
      g.update(`gradient:${name}`, accumulate ? g.add(g.state(`gradient:${name}`, shape), gradient) : gradient);
    }
    const graph = g.build();
    const scalars = [...graph.outputs].filter(([, { shape }]) => shape.length === 0);
    return runPasses({ ...graph, outputs: new Map(scalars) });
  }

  evaluationGraph(): Graph {
    return runPasses(this.#build(false).g.build());
  }

  counts(batch: MaskedBatch): LossCounts {
    return this.#definition.counts(batch);
  }

  feeds(batch: MaskedBatch, draw: DrawKey, total?: LossCounts): Tensors {
    const tensors = { ...batchFeeds(batch), ...this.#definition.feeds?.(batch, draw) };
    if (!total) return tensors;
    const sizes = new Map([
      [BATCH, batch.batchSize],
      [LENGTH, batch.length],
      [MASKED, batch.maskedPositions.length],
    ]);
    return { ...tensors, ...scaleFeeds(total), ...dropoutFeeds(this.#sites, sizes, draw) };
  }
}

/** 1 / count of each loss; of a loss over nothing, whose sum is 0, any number will do. */
function scaleFeeds(total: LossCounts): Tensors {
  return Object.fromEntries(
    Object.entries(total).map(([name, count]) => [
      `${name}Scale`,
      float32Tensor(Float32Array.of(1 / Math.max(1, count)), []),
    ]),
  );
}
