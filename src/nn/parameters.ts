/** Parameters as a model asks for them while it builds its graph: named as published, shaped, and with their start. */
import type { GraphBuilder, Node } from '../graph/graph.js';

/** Starting values that need no drawing, from the shape alone. */
export type FixedStart = (shape: readonly number[]) => Float32Array;

/**
 * How a parameter starts. `normal` and `truncatedNormal` (cut at two deviations) have deviation `initializerRange`, an
 * object has a deviation of its own, cut likewise.
 */
export type Initializer =
  | 'truncatedNormal'
  | 'normal'
  | 'glorotUniform'
  | 'zeros'
  | 'ones'
  | { readonly deviation: number }
  | FixedStart;

export interface ParameterSpec {
  /** Its published state-dict key, in a joint graph under `generator.` or `discriminator.`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

/** Makes what stands for a parameter; undefined where it is a parameter as usual. */
export type Substitute = (name: string, shape: readonly number[], initializer: Initializer) => Node | undefined;

/** A prefix of parameter names, and the record of all that were asked for. */
export class ParameterScope {
  readonly #prefix: string;
  readonly #specs: Map<string, ParameterSpec>;
  readonly #substitute: Substitute | undefined;

  constructor(
    readonly graph: GraphBuilder,
    prefix = '',
    specs = new Map<string, ParameterSpec>(),
    substitute?: Substitute,
  ) {
    this.#prefix = prefix;
    this.#specs = specs;
    this.#substitute = substitute;
  }

  within(name: string): ParameterScope {
    return new ParameterScope(this.graph, `${this.#prefix}${name}.`, this.#specs);
  }

  /** This scope with other nodes in the place of some of its own parameters; scopes within are as they were. */
  substituting(substitute: Substitute): ParameterScope {
    return new ParameterScope(this.graph, this.#prefix, this.#specs, substitute);
  }

  get(name: string, shape: readonly number[], initializer: Initializer): Node {
    const other = this.#substitute?.(name, shape, initializer);
    if (other) return other;
    const full = this.#prefix + name;
    if (!this.#specs.has(full)) this.#specs.set(full, { name: full, shape, initializer });
    return this.graph.state(full, shape);
  }

  /** All parameters asked for through this scope and its relatives, in order. */
  get specs(): ParameterSpec[] {
    return [...this.#specs.values()];
  }
}
