/**
 * A lowered graph that runs in an ONNX Runtime session over state on the GPU: the runtime reads and writes GPU buffers ("IO
 * binding"), and only feeds and outputs, such as token ids and losses, cross to and from JavaScript.
 */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor, TensorFactory } from 'onnxruntime-common';
import { checkState } from '../arenas.js';
import type { ArenaRange, Program, Tensor, Tensors } from '../engine.js';
import { checkFeeds, type ProgramSignature, runError, scalarOutput, sumOverPieces } from '../programSignature.js';
import type { GpuBuffer } from './gpu.js';
import type { ArenaPart, GpuState } from './gpuState.js';
import type { SessionSignature } from './sessionProgram.js';

/** The runtime's class of tensors, with its makers. */
export type GpuTensorConstructor = TensorConstructor & Pick<TensorFactory, 'fromGpuBuffer'>;

export interface GpuSessionProgramOptions {
  readonly signature: SessionSignature;
  /** Its outputs that are updates of state stay on the GPU (`preferredOutputLocation`). */
  readonly session: InferenceSession;
  readonly tensor: GpuTensorConstructor;
  readonly state: GpuState;
}

/** Where a tensor of the state lies, and its shape. */
type Place = ArenaPart & { readonly shape: readonly number[] };
type PlaceOf = (name: string) => Place;

/** A state that the program reads: its place in an arena, and the buffer and the runtime's tensor that stand for it. */
interface Bound {
  readonly place: Place;
  readonly buffer: GpuBuffer;
  readonly tensor: OrtTensor;
}
type Bindings = ReadonlyMap<string, Bound>;

export class GpuSessionProgram implements Program {
  readonly #options: GpuSessionProgramOptions;
  /** Of `run`: its tensors lie at the same places each time. */
  #bindings?: Bindings;

  /** @throws EngineError when the state of the graph has no place in the arenas */
  constructor(options: GpuSessionProgramOptions) {
    this.#options = options;
    checkState(this.#shared, options.state);
  }

  run(feeds: Tensors): Promise<Tensors> {
    const { state, signature } = this.#options;
    return state.alone(async () => {
      const placeOf: PlaceOf = (name) => state.placeOf(name);
      this.#bindings ??= this.#bind(placeOf);
      const results = await this.#call(feeds, this.#bindings, placeOf);
      const read = (key: string) => fromOrt(results[key] as OrtTensor);
      return Object.fromEntries([...signature.outputs].map(([name, key]) => [name, read(key)]));
    });
  }

  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    const { state, signature } = this.#options;
    const { label, outputs } = signature;
    return state.alone(() =>
      sumOverPieces({ label, outputs: outputs.keys() }, ranges, chunk, async ({ start, end }, feeds) => {
        const length = end - start;
        const placeOf: PlaceOf = (name) => ({ arena: name, start, length, shape: [length] });
        const results = await this.#call(feeds, this.#bind(placeOf, 'piece'), placeOf);
        const scalar = (name: string, { dims, data }: OrtTensor) => scalarOutput(label, name, dims, data);
        return Object.fromEntries([...outputs].map(([name, key]) => [name, scalar(name, results[key] as OrtTensor)]));
      }),
    );
  }

  release(): Promise<void> {
    return this.#options.session.release();
  }

  /** What every driver knows of a program: updates count as state. */
  get #shared(): ProgramSignature {
    const { label, inputs, states, updates } = this.#options.signature;
    return { label, inputs, states: [...states, ...[...updates].map(([name, { value }]) => ({ ...value, name }))] };
  }

  /** @param kind  of buffers that are not those of whole tensors */
  #bind(placeOf: PlaceOf, kind = 'whole'): Bindings {
    const { signature, state, tensor } = this.#options;
    return new Map(
      signature.states.map(({ name }) => {
        const place = placeOf(name);
        const buffer = state.tensorOf(`${kind}/${name}`, place.length);
        const options = { dataType: 'float32', dims: place.shape } as const;
        return [name, { place, buffer, tensor: tensor.fromGpuBuffer(buffer as never, options) as OrtTensor }];
      }),
    );
  }

  async #call(feeds: Tensors, bindings: Bindings, placeOf: PlaceOf): Promise<InferenceSession.ReturnType> {
    const { signature, session, state, tensor } = this.#options;
    checkFeeds(this.#shared, feeds);
    const inputs: Record<string, OrtTensor> = {};
    for (const { name } of signature.inputs) inputs[name] = toOrt(tensor, feeds[name]);
    for (const [name, bound] of bindings) inputs[name] = bound.tensor;
    state.gather([...bindings.values()].map(({ place, buffer }) => [place, buffer] as const));

    const names = [...signature.outputs.values(), ...[...signature.updates.values()].map(({ output }) => output)];
    const results = await session.run(inputs, names).catch((error: unknown) => {
      throw runError(this.#shared, feeds, error);
    });
    const updates = [...signature.updates].map(([name, { output }]) => ({
      name,
      result: results[output] as OrtTensor,
    }));
    state.scatter(
      updates.map(({ name, result }) => [placeOf(name), result.gpuBuffer as unknown as GpuBuffer] as const),
    );
    for (const { result } of updates) result.dispose();
    return results;
  }
}

function toOrt(OrtTensor: GpuTensorConstructor, { dtype, data, shape }: Tensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, shape) as OrtTensor;
}

function fromOrt(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type as Tensor['dtype'], shape: tensor.dims, data: tensor.data as Tensor['data'] };
}
