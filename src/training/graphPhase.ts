/**
 * A phase of an objective as graphs, from a function that builds its losses: the weighted total, the gradients, and what
 * to feed. A loss is a sum over tokens; a fed scale, 1 over their number in the whole step, turns it into a mean.
 */
import { gradients } from '../autodiff/gradients.js';
import type { Tensors } from '../engine/engine.js';
import { float32Tensor } from '../engine/tensors.js';
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js';
import { Dropout, type DropoutSite } from '../nn/layers.js';
import { ParameterScope, type ParameterSpec } from '../nn/parameters.js';
import { runPasses } from '../passes/passes.js';
import { dropoutFeeds } from './dropoutMasks.js';
import type { DrawKey, LossCounts, Phase, TokenBatch } from './objective.js';

/** The parts of a graph under construction. */
export interface Build<I> {
  readonly g: GraphBuilder;
  readonly root: ParameterScope;
  readonly dropout: Dropout;
  readonly inputs: I;
}

/** What all graphs of a kind read of a batch: I, the nodes that stand for it. */
export interface BatchFormat<B extends TokenBatch, I> {
  declare(g: GraphBuilder): I;
  feeds(batch: B): Tensors;
  /** A value for every named size of the graph. */
  sizes(batch: B): ReadonlyMap<string, number>;
}

/** A loss as its weighted sum over tokens, and its weight in the total. */
export interface Loss {
  readonly name: string;
  readonly sum: Node;
  readonly weight: number;
}

export interface PhaseDefinition<B extends TokenBatch, I> {
  readonly name: string;
  /** Of all steps; 1 by default. */
  readonly share?: number;
  readonly copies?: readonly (readonly [string, string])[];
  /** All parameters by default. */
  trains?(name: string): boolean;
  /** Builds the losses that are minimised, naming outputs on the way. Outputs that are no scalars are for evaluation. */
  build(build: Build<I>): Loss[];
  counts(batch: B): LossCounts;
  /** Token rows of one row of the data, such as the choices of a question: each has dropout of its own. Default 1. */
  readonly rowsOfExample?: number;
  /** What the graph reads beside the batch itself. */
  feeds?(batch: B, draw: DrawKey): Tensors;
}

export class GraphPhase<B extends TokenBatch, I> implements Phase<B> {
  readonly name: string;
  readonly share: number;
  readonly copies: readonly (readonly [string, string])[];
  readonly #definition: PhaseDefinition<B, I>;
  #sites: readonly DropoutSite[] = [];

  constructor(
    private readonly format: BatchFormat<B, I>,
    definition: PhaseDefinition<B, I>,
  ) {
    this.#definition = definition;
    this.name = definition.name;
    this.share = definition.share ?? 1;
    this.copies = definition.copies ?? [];
  }

  trains(name: string): boolean {
    return this.#definition.trains?.(name) ?? true;
  }

  #build(training: boolean): Build<I> & { losses: Loss[] } {
    const g = new GraphBuilder();
    const build = { g, root: new ParameterScope(g), dropout: new Dropout(training), inputs: this.format.declare(g) };
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

  counts(batch: B): LossCounts {
    return this.#definition.counts(batch);
  }

  feeds(batch: B, draw: DrawKey, total?: LossCounts): Tensors {
    const tensors = { ...this.format.feeds(batch), ...this.#definition.feeds?.(batch, draw) };
    if (!total) return tensors;
    const { rowsOfExample = 1 } = this.#definition;
    const ofRows = { ...draw, firstRow: draw.firstRow * rowsOfExample };
    return { ...tensors, ...scaleFeeds(total), ...dropoutFeeds(this.#sites, this.format.sizes(batch), ofRows) };
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
