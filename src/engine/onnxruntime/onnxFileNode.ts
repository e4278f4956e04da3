/**
 * An ONNX file of an encoder as others write it (optimum, transformers.js, `pleiad export`), run as it is. It has no weights
 * that could be trained or written again, only inputs and outputs.
 */
import { existsSync } from 'node:fs';
import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common';
import type { Program, Tensor, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { requireThreads } from '../node/workerClient.js';
import { PUBLISHED_INPUTS, PUBLISHED_OUTPUTS } from '../onnx/publish.js';
import { loadRuntime } from './loadRuntimeNode.js';

export interface OnnxFile extends Pick<Program, 'run' | 'release'> {
  /** By our names. */
  readonly outputs: readonly string[];
}

const INTEGERS = ['int64', 'int32'] as const;

const ourNames = (published: Readonly<Record<string, string>>) =>
  new Map(Object.entries(published).map(([ours, theirs]) => [theirs, ours]));

/**
 * Opens a file. Runs block the thread that asks for them.
 * @throws EngineError when the runtime cannot load it, or it is none of an encoder
 */
export async function openOnnxFile(path: string, { threads }: { threads?: number } = {}): Promise<OnnxFile> {
  const session = await createSession(path, requireThreads(threads));
  try {
    const inputs = inputsOf(session, path);
    const known = ourNames({ ...PUBLISHED_OUTPUTS, predictionLogits: 'prediction_logits' });
    const outputs = session.outputNames.flatMap((theirs) => {
      const ours = known.get(theirs);
      return ours === undefined ? [] : [{ theirs, ours: ours === 'predictionLogits' ? 'logits' : ours }];
    });
    if (outputs.length === 0) throw unfit(path, 'outputs', session.outputNames, known);
    return {
      outputs: outputs.map(({ ours }) => ours),
      run: async (feeds) => {
        const fetches = outputs.map(({ theirs }) => theirs);
        const results = await session.run(ortFeeds(feeds, inputs, path), fetches).catch((cause: Error) => {
          throw new EngineError(`${path}: ${cause.message}`, { subject: path, cause });
        });
        return Object.fromEntries(outputs.map(({ theirs, ours }) => [ours, fromOrt(results[theirs], theirs, path)]));
      },
      release: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(path: string, threads: number): Promise<InferenceSession> {
  if (!existsSync(path)) throw new EngineError(`${path} is not there`, { subject: path });
  const { InferenceSession } = await loadRuntime();
  try {
    // By path, so that the runtime finds the file with its weights beside it.
    return await InferenceSession.create(path, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new EngineError(`${path} cannot be loaded: ${(cause as Error).message}`, { subject: path, cause });
  }
}

interface OnnxInput {
  readonly ours: string;
  readonly theirs: string;
  readonly type: (typeof INTEGERS)[number];
}

function inputsOf(session: InferenceSession, path: string): OnnxInput[] {
  const known = ourNames({ ...PUBLISHED_INPUTS, positionIds: 'position_ids' });
  const inputs = session.inputMetadata.map((input) => {
    const type = input.isTensor ? INTEGERS.find((name) => name === input.type) : undefined;
    const ours = known.get(input.name);
    if (!type || ours === undefined) throw unfit(path, 'inputs', session.inputNames, known);
    return { ours, theirs: input.name, type };
  });
  if (!inputs.some(({ ours }) => ours === 'inputIds')) throw unfit(path, 'inputs', session.inputNames, known);
  return inputs;
}

function unfit(path: string, kind: string, found: readonly string[], known: ReadonlyMap<string, string>): EngineError {
  const expected = [...known.keys()].join(', ');
  return new EngineError(`${path} has the ${kind} ${found.join(', ')}; an encoder has some of ${expected}`, {
    subject: path,
    found,
    expected,
  });
}

/** @throws EngineError when there is something to tell the file that it has no input for */
function ortFeeds(feeds: Tensors, inputs: readonly OnnxInput[], path: string): Record<string, OrtTensor> {
  const taken = new Set(inputs.map(({ ours }) => ours));
  const isNeutral = (name: string, { data }: Tensor) =>
    name === 'positionIds' || data.every((value) => value === (name === 'attentionMask' ? 1 : 0));
  const lost = Object.entries(feeds).find(([name, tensor]) => !taken.has(name) && !isNeutral(name, tensor));
  if (lost) {
    throw new EngineError(`${path} takes no ${PUBLISHED_INPUTS[lost[0]] ?? lost[0]}`, {
      subject: path,
      advice: lost[0] === 'attentionMask' ? 'Give rows of one length' : 'Give texts of one segment',
    });
  }
  const [rows] = feeds.inputIds.shape;
  return Object.fromEntries(
    inputs.map(({ ours, theirs, type }) => {
      const { data, shape } = feeds[ours];
      const values = Array.from(data);
      // One row of positions stands for all.
      const all = shape.length === 1 ? Array.from({ length: rows }, () => values).flat() : values;
      const dims = shape.length === 1 ? [rows, values.length] : shape;
      const tensor =
        type === 'int64'
          ? new OrtTensor('int64', BigInt64Array.from(all, BigInt), dims)
          : new OrtTensor('int32', Int32Array.from(all), dims);
      return [theirs, tensor];
    }),
  );
}

function fromOrt({ type, dims, data }: OrtTensor, name: string, path: string): Tensor {
  if (type === 'float32') return { dtype: 'float32', shape: dims, data: data as Float32Array };
  throw new EngineError(`${path}: ${name} is ${type}, expected float32`, {
    subject: name,
    found: type,
    advice: 'Use the file whose outputs are float32, for instance model.onnx',
  });
}
