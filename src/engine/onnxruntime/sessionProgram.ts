/** A lowered graph that runs in an ONNX Runtime session over arenas: what the Node worker and the web driver share. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { type Arenas, checkState, type StateView } from '../arenas.js';
import type { ArenaRange, Tensor, Tensors } from '../engine.js';
import type { LoweredGraph } from '../onnx/lower.js';
import { checkFeeds, type ProgramSignature, runError, scalarOutput, sumOverPieces } from '../programSignature.js';

/** What a driver must know of a lowered graph to run it; plain data, so that it can be sent to a worker. */
export type SessionSignature = Omit<LoweredGraph, 'model'> & { readonly label: string };

export function signatureOf(label: string, { inputs, states, outputs, updates }: LoweredGraph): SessionSignature {
  return { label, inputs, states, outputs, updates };
}

export interface SessionProgramOptions {
  readonly signature: SessionSignature;
  readonly session: InferenceSession;
  readonly tensor: TensorConstructor;
  readonly arenas?: Arenas;
  /**
   * Whether the runtime fills preallocated outputs. onnxruntime-node does; onnxruntime-web 1.30 leaves them untouched
   * (microsoft/onnxruntime#25786), so its results are copied.
   */
  readonly writesInPlace: boolean;
}

type Bindings = ReadonlyMap<string, OrtTensor>;

export class SessionProgram {
  readonly #options: SessionProgramOptions;
  /** Tensors over the state, made at the first `run`. */
  #bindings?: Bindings;

  /** @throws EngineError when the state of the graph has no place in the arenas */
  constructor(options: SessionProgramOptions) {
    this.#options = options;
    checkState(this.#shared, options.arenas);
  }

  async run(feeds: Tensors): Promise<Tensors> {
    this.#bindings ??= this.#bind((state) => this.#arenas.view(state));
    const results = await this.#call(feeds, this.#bindings);
    const { outputs } = this.#options.signature;
    return Object.fromEntries([...outputs].map(([name, key]) => [name, fromOrt(results[key] as OrtTensor)]));
  }

  runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    const { label, outputs } = this.#options.signature;
    return sumOverPieces({ label, outputs: outputs.keys() }, ranges, chunk, async ({ start, end }, feeds) => {
      const bindings = this.#bind(({ name }) => ({
        data: this.#arenas.range(name, start, end),
        shape: [end - start],
      }));
      const results = await this.#call(feeds, bindings);
      const scalar = (name: string, { dims, data }: OrtTensor) => scalarOutput(label, name, dims, data);
      return Object.fromEntries([...outputs].map(([name, key]) => [name, scalar(name, results[key] as OrtTensor)]));
    });
  }

  release(): Promise<void> {
    return this.#options.session.release();
  }

  get #arenas(): Arenas {
    return this.#options.arenas as Arenas;
  }

  /** What every driver knows of a program: updates count as state. */
  get #shared(): ProgramSignature {
    const { label, inputs, states, updates } = this.#options.signature;
    return { label, inputs, states: [...states, ...[...updates].map(([name, { value }]) => ({ ...value, name }))] };
  }

  #bind(viewOf: (state: { name: string }) => StateView): Bindings {
    const { signature, tensor: OrtTensor } = this.#options;
    const bindings = new Map<string, OrtTensor>();
    const bind = (name: string) => {
      const { data, shape } = viewOf({ name });
      if (!bindings.has(name)) bindings.set(name, new OrtTensor('float32', data, shape));
    };
    for (const { name } of signature.states) bind(name);
    for (const name of signature.updates.keys()) bind(name);
    return bindings;
  }

  async #call(feeds: Tensors, bindings: Bindings): Promise<InferenceSession.ReturnType> {
    const { signature, session, writesInPlace, tensor } = this.#options;
    checkFeeds(this.#shared, feeds);
    const inputs: Record<string, OrtTensor> = {};
    for (const { name } of signature.inputs) inputs[name] = toOrt(tensor, feeds[name]);
    for (const { name } of signature.states) inputs[name] = bindings.get(name) as OrtTensor;

    const fetches: Record<string, OrtTensor | null> = {};
    for (const key of signature.outputs.values()) fetches[key] = null;
    const copied: [string, OrtTensor][] = [];
    for (const [name, { output, inPlace }] of signature.updates) {
      const target = bindings.get(name) as OrtTensor;
      fetches[output] = writesInPlace && inPlace ? target : null;
      if (!fetches[output]) copied.push([output, target]);
    }
    const results = await session.run(inputs, fetches).catch((error: unknown) => {
      throw runError(this.#shared, feeds, error);
    });
    for (const [output, target] of copied) (target.data as Float32Array).set(results[output].data as Float32Array);
    return results;
  }
}

function toOrt(OrtTensor: TensorConstructor, { dtype, data, shape }: Tensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, shape) as OrtTensor;
}

function fromOrt(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type as Tensor['dtype'], shape: tensor.dims, data: tensor.data as Tensor['data'] };
}
