/** Parameters, their averages, gradients and moments with the engine, and their ways in and out. */

import type { Engine, EngineState } from '../engine/engine.js';
import { CheckpointError } from '../errors/errors.js';
import { elementCount } from '../graph/dimensions.js';
import { initializeParameter } from '../nn/initialize.js';
import type { Snapshot } from './checkpoint.js';
import type { ParameterSpec } from './objective.js';
import type { ParameterGroup } from './parameterGroup.js';
import { ARENAS, type ArenaName, AVERAGE, type ParameterLayout, parameterLayout } from './parameterLayout.js';
import type { NamedArray } from './weightsHash.js';

export interface Initialization {
  readonly seed: number;
  readonly initializerRange: number;
  /** Values to begin with instead, by parameter name, for instance of a released model. */
  readonly weights?: ReadonlyMap<string, Float32Array>;
}

type KeptTensors = Pick<Snapshot, 'parameters' | 'firstMoment' | 'secondMoment' | 'average'>;

export class TrainerState {
  private constructor(
    readonly layout: ParameterLayout,
    readonly engineState: EngineState,
  ) {}

  /** All zeros; `initialize` or `restore` comes next. */
  static async create(
    engine: Engine,
    specs: readonly ParameterSpec[],
    groupOf?: (name: string) => ParameterGroup,
    { averages = false }: { readonly averages?: boolean } = {},
  ): Promise<TrainerState> {
    const layout = parameterLayout(specs, groupOf, averages ? [...ARENAS, AVERAGE] : ARENAS);
    return new TrainerState(layout, await engine.createState(layout.state));
  }

  /** Whether averages of the parameters are kept beside them. */
  get averages(): boolean {
    return AVERAGE in this.layout.state.arenas;
  }

  /** What a checkpoint keeps. */
  get keptArenas(): ArenaName[] {
    return ['parameters', 'firstMoment', 'secondMoment', ...(this.averages ? [AVERAGE] : [])] as ArenaName[];
  }

  async initialize(initialization: Initialization): Promise<void> {
    const parameters = new Float32Array(this.layout.length);
    for (const parameter of this.layout.parameters) {
      const given = initialization.weights?.get(parameter.name);
      if (given && given.length !== parameter.size) {
        throw new CheckpointError(
          `the given weights of ${parameter.name} have ${given.length} values, expected ${parameter.size}`,
          {
            subject: parameter.name,
            found: given.length,
            expected: String(parameter.size),
          },
        );
      }
      parameters.set(given ?? initializeParameter(parameter, initialization), parameter.offset);
    }
    await this.engineState.write('parameters', parameters);
    if (this.averages) await this.engineState.write(AVERAGE, parameters);
    await this.#clear('gradients');
    await this.clearMoments();
  }

  async clearMoments(): Promise<void> {
    await this.#clear('firstMoment');
    await this.#clear('secondMoment');
  }

  async #clear(arena: ArenaName): Promise<void> {
    await this.engineState.write(arena, new Float32Array(this.layout.length));
  }

  /** Lets parameters and their averages change places, so that a program runs with the others. */
  async exchangeAverage(): Promise<void> {
    const [parameters, average] = [await this.engineState.read('parameters'), await this.engineState.read(AVERAGE)];
    await this.engineState.write('parameters', average);
    await this.engineState.write(AVERAGE, parameters);
  }

  /** Copies parameters onto others, [from, to]. */
  async copy(pairs: readonly (readonly [string, string])[]): Promise<void> {
    const slots = this.layout.state.slots;
    for (const [from, to] of pairs) {
      const source = slots.get(from);
      const target = slots.get(to);
      if (!source || !target || source.shape.join() !== target.shape.join()) {
        throw new Error(`cannot copy ${from} [${source?.shape}] to ${to} [${target?.shape}]`);
      }
      const size = elementCount(source.shape);
      for (const arena of this.averages ? ['parameters', AVERAGE] : ['parameters']) {
        const values = await this.engineState.read(arena, source.offset, source.offset + size);
        await this.engineState.write(arena, values, target.offset);
      }
    }
  }

  /** The tensors of an arena by parameter name, as views of one copy. */
  async read(arena: ArenaName): Promise<Map<string, NamedArray>> {
    const copy = await this.engineState.read(arena);
    return new Map(
      this.layout.parameters.map(({ name, shape, offset, size }) => [
        name,
        { shape, data: copy.subarray(offset, offset + size) },
      ]),
    );
  }

  async tensors(): Promise<KeptTensors> {
    return {
      parameters: await this.read('parameters'),
      firstMoment: await this.read('firstMoment'),
      secondMoment: await this.read('secondMoment'),
      ...(this.averages && { average: await this.read(AVERAGE) }),
    };
  }

  async restore({ parameters, firstMoment, secondMoment, average = new Map() }: KeptTensors): Promise<void> {
    await this.#clear('gradients');
    await this.#write('parameters', parameters);
    await this.#write('firstMoment', firstMoment);
    await this.#write('secondMoment', secondMoment);
    if (this.averages) await this.#write(AVERAGE, average);
  }

  async #write(arena: ArenaName, tensors: ReadonlyMap<string, NamedArray>): Promise<void> {
    const values = new Float32Array(this.layout.length);
    for (const { name, shape, offset } of this.layout.parameters) {
      const tensor = tensors.get(name);
      if (!tensor || tensor.shape.join() !== shape.join()) {
        throw new CheckpointError(
          `${arena} of ${name}: the checkpoint has [${tensor?.shape ?? 'nothing'}], the model needs [${shape}]`,
          {
            subject: name,
            found: tensor?.shape,
            expected: `[${shape}]`,
            advice: 'Resume with the settings that the run began with, or start a new run in another folder',
          },
        );
      }
      values.set(tensor.data, offset);
    }
    await this.engineState.write(arena, values);
  }

  async release(): Promise<void> {
    await this.engineState.release();
  }
}
