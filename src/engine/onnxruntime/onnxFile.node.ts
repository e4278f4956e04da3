/**
 * An ONNX file of an encoder as others write it (optimum, transformers.js, `pleiad export`), run as it is. It has no weights
 * that could be trained or written again, only inputs and outputs.
 */
import { existsSync } from 'node:fs';
import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common';
import { SettingsError } from '../../errors/errors.js';
import type { Program, Tensor, Tensors } from '../engine.js';
import { EngineError } from '../engineError.js';
import { PUBLISHED_INPUTS, PUBLISHED_OUTPUTS } from '../onnx/publish.js';
import { requireThreads } from '../worker/workerClient.node.js';
import { loadRuntime } from './loadRuntime.node.js';

export interface OnnxFile extends Pick<Program, 'run' | 'release'> {
  /** By our names. */
  readonly outputs: readonly string[];
  /** All that the file has, by its own names. */
  readonly outputNames: readonly string[];
}

export interface OnnxFileOptions {
  readonly threads?: number;
  /**
   * What a file calls its inputs and outputs where it does not call them as transformers.js does, by the usual name, for
   * instance `{ logits: 'output_0', input_ids: 'ids' }`.
   */
  readonly names?: OnnxNames;
}

/** Usual name → name in the file. */
export type OnnxNames = Readonly<Record<string, string>>;

const INTEGERS = ['int64', 'int32'] as const;

const INPUTS: Readonly<Record<string, string>> = { ...PUBLISHED_INPUTS, positionIds: 'position_ids' };
const OUTPUTS: Readonly<Record<string, string>> = { ...PUBLISHED_OUTPUTS, predictionLogits: 'prediction_logits' };
const usual = (table: Readonly<Record<string, string>>) => Object.values(table);

/** Our name by the file's. */
function ourNames(published: Readonly<Record<string, string>>, names: OnnxNames): ReadonlyMap<string, string> {
  const entries = Object.entries(published).map(([ours, theirs]) => [names[theirs] ?? theirs, ours] as const);
  return new Map(entries);
}

/** @throws SettingsError for a name that is not usual, or that the file does not have */
function checkNames(names: OnnxNames, { inputNames, outputNames }: InferenceSession, path: string): void {
  const problems = Object.entries(names).flatMap(([name, inFile]) => {
    const isInput = usual(INPUTS).includes(name);
    if (!isInput && !usual(OUTPUTS).includes(name)) {
      return [
        `onnxNames (--onnx-names) has ${name}; expected some of ${[...usual(INPUTS), ...usual(OUTPUTS)].join(', ')}`,
      ];
    }
    const found = isInput ? inputNames : outputNames;
    if (found.includes(inFile)) return [];
    return [`onnxNames (--onnx-names) has ${inFile} for ${name}; ${path} has ${found.join(', ')}`];
  });
  if (problems.length > 0) throw new SettingsError(problems);
}

/**
 * Opens a file. Runs block the thread that asks for them.
 * @throws EngineError when the runtime cannot load it, or it is none of an encoder
 */
export async function openOnnxFile(path: string, { threads, names = {} }: OnnxFileOptions = {}): Promise<OnnxFile> {
  const session = await createSession(path, requireThreads(threads));
  try {
    checkNames(names, session, path);
    const inputs = inputsOf(session, path, names);
    const known = ourNames(OUTPUTS, names);
    const outputs = session.outputNames.flatMap((theirs) => {
      const ours = known.get(theirs);
      return ours === undefined ? [] : [{ theirs, ours: ours === 'predictionLogits' ? 'logits' : ours }];
    });
    if (outputs.length === 0) throw unfit(path, 'outputs', session.outputNames);
    return {
      outputs: outputs.map(({ ours }) => ours),
      outputNames: session.outputNames,
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

function inputsOf(session: InferenceSession, path: string, names: OnnxNames): OnnxInput[] {
  const known = ourNames(INPUTS, names);
  const inputs = session.inputMetadata.map((input) => {
    const type = input.isTensor ? INTEGERS.find((name) => name === input.type) : undefined;
    const ours = known.get(input.name);
    if (!type || ours === undefined) throw unfit(path, 'inputs', session.inputNames);
    return { ours, theirs: input.name, type };
  });
  if (!inputs.some(({ ours }) => ours === 'inputIds')) throw unfit(path, 'inputs', session.inputNames);
  return inputs;
}

function unfit(path: string, kind: 'inputs' | 'outputs', found: readonly string[]): EngineError {
  const expected = usual(kind === 'inputs' ? INPUTS : OUTPUTS).join(', ');
  return new EngineError(`${path} has the ${kind} ${found.join(', ')}; an encoder has some of ${expected}`, {
    subject: path,
    found,
    expected,
    advice: namesAdvice(kind === 'inputs' ? 'input_ids' : 'logits', found),
  });
}

/** How the names of a file are said, for instance. */
export function namesAdvice(usualName: string, found: readonly string[]): string {
  const name = found.find((each) => !usual({ ...INPUTS, ...OUTPUTS }).includes(each)) ?? 'NAME';
  return `Where it calls them otherwise, say how, for instance onnxNames { ${usualName}: "${name}" } (--onnx-names ${usualName}=${name})`;
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
