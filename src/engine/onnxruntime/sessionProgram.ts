/** A lowered graph that runs in an ONNX Runtime session over arenas: what the Node worker and the web driver share. */
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-common';
import { type Dim, factorsOf, formatShape } from '../../graph/dimensions.js';
import type { ArenaRange, Tensor, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import type { LoweredGraph } from '../onnx/lower.js';
import type { OnnxValue } from '../onnx/model.js';
import type { Arenas } from './arenas.js';

/** What a driver must know of a lowered graph to run it; plain data, so that it can be sent to a worker. */
export type ProgramSignature = Omit<LoweredGraph, 'model'> & { readonly label: string };

export function signatureOf(label: string, { inputs, states, outputs, updates }: LoweredGraph): ProgramSignature {
  return { label, inputs, states, outputs, updates };
}

export interface SessionProgramOptions {
  readonly signature: ProgramSignature;
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
    const { signature, arenas } = options;
    const touched = [...signature.states, ...[...signature.updates].map(([name, { value }]) => ({ ...value, name }))];
    for (const state of touched) {
      if (!arenas) {
        throw new EngineError(
          `program "${signature.label}": state "${state.name}" has no place, the program was compiled without state`,
          {
            subject: state.name,
            advice: 'Pass `state`, or the values as `weights`',
          },
        );
      }
      arenas.check(signature.label, state);
    }
  }

  async run(feeds: Tensors): Promise<Tensors> {
    this.#bindings ??= this.#bind((state) => this.#arenas.view(state));
    const results = await this.#call(feeds, this.#bindings);
    const { outputs } = this.#options.signature;
    return Object.fromEntries([...outputs].map(([name, key]) => [name, fromOrt(results[key] as OrtTensor)]));
  }

  async runOverArenas(ranges: readonly ArenaRange[], chunk: number): Promise<Record<string, number>> {
    const { label, outputs } = this.#options.signature;
    const totals: Record<string, number> = Object.fromEntries([...outputs.keys()].map((name) => [name, 0]));
    if (!(Number.isInteger(chunk) && chunk > 0))
      throw new EngineError(`program "${label}": a chunk of ${chunk} elements`, { found: chunk });
    for (const { start, end, feeds } of ranges) {
      for (let from = start; from < end; from += chunk) {
        const to = Math.min(from + chunk, end);
        const bindings = this.#bind(({ name }) => ({ data: this.#arenas.range(name, from, to), shape: [to - from] }));
        const results = await this.#call(feeds, bindings);
        for (const [name, key] of outputs) totals[name] += this.#scalar(name, results[key] as OrtTensor);
      }
    }
    return totals;
  }

  release(): Promise<void> {
    return this.#options.session.release();
  }

  get #arenas(): Arenas {
    return this.#options.arenas as Arenas;
  }

  #scalar(name: string, tensor: OrtTensor): number {
    if (tensor.size === 1) return Number(tensor.data[0]);
    throw new EngineError(
      `program "${this.#options.signature.label}": output "${name}" is ${formatShape(tensor.dims)}, expected one value`,
      {
        subject: name,
        advice: 'Programs that run over arenas return scalars, which are summed over the pieces',
      },
    );
  }

  #bind(viewOf: (state: OnnxValue) => { data: Float32Array; shape: readonly number[] }): Bindings {
    const { signature, tensor: OrtTensor } = this.#options;
    const bindings = new Map<string, OrtTensor>();
    const bind = (state: OnnxValue) => {
      const { data, shape } = viewOf(state);
      if (!bindings.has(state.name)) bindings.set(state.name, new OrtTensor('float32', data, shape));
    };
    for (const state of signature.states) bind(state);
    for (const [name, { value }] of signature.updates) bind({ ...value, name });
    return bindings;
  }

  async #call(feeds: Tensors, bindings: Bindings): Promise<InferenceSession.ReturnType> {
    const { signature, session, writesInPlace, tensor } = this.#options;
    checkFeeds(signature, feeds);
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
      throw runError(signature, feeds, error);
    });
    for (const [output, target] of copied) (target.data as Float32Array).set(results[output].data as Float32Array);
    return results;
  }
}

function runError({ label, inputs }: ProgramSignature, feeds: Tensors, cause: unknown): EngineError {
  const shapes = inputs.map(({ name }) => `${name} ${formatShape(feeds[name].shape)}`).join(', ');
  return new EngineError(`program "${label}" failed on ${shapes || 'no inputs'}: ${(cause as Error).message}`, {
    subject: label,
    cause,
  });
}

/** Checks that every input is fed, with its dtype and shape, and that each named size is one number throughout. */
function checkFeeds({ label, inputs }: ProgramSignature, feeds: Tensors): void {
  const sizes = new Map<string, number>();
  for (const { name, type, shape } of inputs) {
    const feed = feeds[name];
    const expected = `${type}${formatShape(shape)}`;
    const problem = !feed
      ? `is not fed, expected ${expected}`
      : feed.dtype !== type || !fits(feed, shape, sizes)
        ? `is ${feed.dtype}${formatShape(feed.shape)} with ${feed.data.length} values, expected ${expected}${formatSizes(sizes)}`
        : undefined;
    if (problem)
      throw new EngineError(`program "${label}": input "${name}" ${problem}`, {
        subject: name,
        found: feed?.shape,
        expected,
      });
  }
}

function fits(feed: Tensor, shape: readonly Dim[], sizes: Map<string, number>): boolean {
  if (feed.shape.length !== shape.length) return false;
  if (feed.shape.reduce((product, size) => product * size, 1) !== feed.data.length) return false;
  return shape.every((dim, axis) => {
    const { coefficient, names } = factorsOf(dim);
    const unknown = names.filter((name) => !sizes.has(name));
    const known = names.reduce((product, name) => product * (sizes.get(name) ?? 1), coefficient);
    if (unknown.length > 1) return true;
    if (unknown.length === 0) return feed.shape[axis] === known;
    sizes.set(unknown[0], feed.shape[axis] / known);
    return Number.isInteger(feed.shape[axis] / known);
  });
}

function formatSizes(sizes: ReadonlyMap<string, number>): string {
  return sizes.size === 0 ? '' : ` where ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')}`;
}

function toOrt(OrtTensor: TensorConstructor, { dtype, data, shape }: Tensor): OrtTensor {
  return new OrtTensor(dtype, data as Float32Array, shape) as OrtTensor;
}

function fromOrt(tensor: OrtTensor): Tensor {
  return { dtype: tensor.type as Tensor['dtype'], shape: tensor.dims, data: tensor.data as Tensor['data'] };
}
