/**
 * Loading a large checkpoint: time and peak memory of each file form, one fresh process a load, and PyTorch reading the same
 * file in turn. The file is in the page cache on both sides.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encoderConfigToJson, expectedTensors, type ModelDescription } from '../src/checkpoint/modelFolder.js';
import { PleiadError } from '../src/errors/errors.js';
import { elementCount } from '../src/graph/dimensions.js';
import { encoderConfig, type SizeName } from '../src/models/config.js';
import { machineDescription, median, type Ratio, ratioOf, rounded, say } from './report.js';

export interface LoadBenchOptions {
  readonly size: SizeName;
  /** Holds the files; they are made where they are missing. */
  readonly folder: string;
  readonly runs: number;
  readonly against?: 'torch';
  readonly python?: string;
}

export interface LoadMeasurement {
  readonly file: string;
  readonly fileMiB: number;
  readonly ms: number;
  /** Processor time of all threads: what the load costs on a machine that does other things too. */
  readonly cpuMs: number;
  /** Largest resident size of the process that loaded it, Node itself included. */
  readonly peakMemoryMiB: number;
  /** Of peak memory to what the weights take as float32, and to the file. */
  readonly memoryToWeights: number;
  readonly memoryToFile: number;
  /** `ratio` is of elapsed, `cpu` of processor time. */
  readonly against?: Ratio & { readonly cpu: Ratio; readonly peakMemoryMiB: number };
}

export interface LoadBenchResult {
  readonly name: 'load';
  readonly machine: string;
  readonly parameters: number;
  readonly unit: 'ms';
  readonly value: number;
  /** Resident size of a process that has opened a file and read no tensor. */
  readonly idleMemoryMiB: number;
  readonly measurements: readonly LoadMeasurement[];
  /** `fromPretrained` of each file, and one run of 128 tokens: the engine's own copies of the weights are in it. */
  readonly ready: readonly (Load & { readonly file: string; readonly memoryToWeights: number })[];
}

const FILES = [
  'float32.safetensors',
  'float32-zip.bin',
  'float32-legacy.bin',
  'float16.safetensors',
  'float16-legacy.bin',
];
const UNCASED_VOCABULARY = 30522;

export function largeModel(size: SizeName): ModelDescription {
  return { config: encoderConfig(size, UNCASED_VOCABULARY), architecture: 'ElectraForPreTraining' };
}

/** @throws PleiadError when the files are not there and Python cannot make them */
export async function benchLoad(options: LoadBenchOptions): Promise<LoadBenchResult> {
  const python = options.python ?? process.env.PLEIAD_PYTHON ?? 'python3';
  const shapes = expectedTensors(largeModel(options.size));
  const parameters = [...shapes.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
  if (FILES.some((file) => !existsSync(join(options.folder, file)))) {
    say(`making ${FILES.join(', ')} in ${options.folder} …`);
    mkdirSync(options.folder, { recursive: true });
    await run(python, [script(), 'make', options.folder], JSON.stringify(Object.fromEntries(shapes)));
  }
  const measurements: LoadMeasurement[] = [];
  for (const file of FILES) measurements.push(await measure(options, python, file, parameters));
  const idle = await ours(options.size, join(options.folder, FILES[0]), 'open');
  writeFileSync(join(options.folder, 'config.json'), JSON.stringify(encoderConfigToJson(largeModel(options.size))));
  const ready: LoadBenchResult['ready'][number][] = [];
  for (const file of FILES) {
    const load = await medianRun(options, join(options.folder, file));
    ready.push({ ...load, file, memoryToWeights: rounded(load.peakMemoryMiB / weightsMiB(parameters)) });
  }
  return {
    name: 'load',
    machine: machineDescription(),
    parameters,
    unit: 'ms',
    value: measurements[0].ms,
    idleMemoryMiB: Math.round(idle.peakMemoryMiB),
    measurements,
    ready,
  };
}

const weightsMiB = (parameters: number) => (4 * parameters) / 2 ** 20;

async function medianRun({ size, runs }: LoadBenchOptions, path: string): Promise<Load> {
  const all: Load[] = [];
  for (let index = 0; index < runs; index++) all.push(await ours(size, path, 'run'));
  return {
    ms: rounded(median(all.map(({ ms }) => ms))),
    cpuMs: rounded(median(all.map(({ cpuMs }) => cpuMs))),
    peakMemoryMiB: Math.max(...all.map(({ peakMemoryMiB }) => peakMemoryMiB)),
  };
}

export function describeLoad({ parameters, idleMemoryMiB, measurements, ready }: LoadBenchResult): string[] {
  return [
    `${(parameters / 1e6).toFixed(1)} M parameters; Node with an open file and no tensors: ${idleMemoryMiB} MiB`,
    ...measurements.map(
      ({ file, fileMiB, ms, cpuMs, peakMemoryMiB, memoryToWeights, memoryToFile, against }) =>
        `${file} (${fileMiB} MiB): ${Math.round(ms)} ms, processor ${Math.round(cpuMs)} ms, ` +
        `peak ${peakMemoryMiB} MiB = ${memoryToWeights} of the weights, ${memoryToFile} of the file` +
        (against
          ? `; ${sentence(against)}; ${sentence(against.cpu)}; torch peaks at ${against.peakMemoryMiB} MiB`
          : ''),
    ),
    ...ready.map(
      ({ file, ms, cpuMs, peakMemoryMiB, memoryToWeights }) =>
        `${file}, fromPretrained and a first run: ${Math.round(ms)} ms, processor ${Math.round(cpuMs)} ms, ` +
        `peak ${Math.round(peakMemoryMiB)} MiB = ${memoryToWeights} of the weights`,
    ),
  ];
}

const sentence = ({ ratio, name, ratioMin, ratioMax, runs }: Ratio) =>
  `${ratio}× ${name} (${ratioMin} to ${ratioMax}, ${runs} runs)`;

interface Load {
  readonly ms: number;
  readonly cpuMs: number;
  readonly peakMemoryMiB: number;
}

async function measure(
  { size, folder, runs, against }: LoadBenchOptions,
  python: string,
  file: string,
  parameters: number,
): Promise<LoadMeasurement> {
  const path = join(folder, file);
  await ours(size, path, 'load'); // brings the file into the page cache
  const our: Load[] = [];
  const their: Load[] = [];
  for (let index = 0; index < runs; index++) {
    our.push(await ours(size, path, 'load'));
    if (against) their.push(JSON.parse(await run(python, [script(), 'load', path])) as Load);
  }
  const msOf = (loads: readonly Load[]) => loads.map(({ ms }) => ms);
  const cpuOf = (loads: readonly Load[]) => loads.map(({ cpuMs }) => cpuMs);
  const memoryOf = (loads: readonly Load[]) => Math.round(Math.max(...loads.map(({ peakMemoryMiB }) => peakMemoryMiB)));
  const fileMiB = statSync(path).size / 2 ** 20;
  const peak = memoryOf(our);
  say(`${file}: ${Math.round(median(msOf(our)))} ms, peak ${peak} MiB`);
  return {
    file,
    fileMiB: Math.round(fileMiB),
    ms: rounded(median(msOf(our))),
    cpuMs: rounded(median(cpuOf(our))),
    peakMemoryMiB: peak,
    memoryToWeights: rounded(peak / weightsMiB(parameters)),
    memoryToFile: rounded(peak / fileMiB),
    ...(against && {
      against: {
        ...ratioOf('torch', msOf(our), msOf(their)),
        cpu: ratioOf('torch, processor time', cpuOf(our), cpuOf(their)),
        peakMemoryMiB: memoryOf(their),
      },
    }),
  };
}

function ours(size: SizeName, path: string, work: 'open' | 'load' | 'run'): Promise<Load> {
  const child = fileURLToPath(new URL('./loadChild.js', import.meta.url));
  return run(process.execPath, [child, size, path, work]).then((text) => JSON.parse(text) as Load);
}

/** Runs a program. @returns its standard output */
function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args);
    const [out, err]: [string[], string[]] = [[], []];
    const fail = (reason: string) =>
      reject(
        new PleiadError(`${program} ${args.join(' ')} failed: ${reason}`, {
          subject: program,
          advice: 'Install bench/peers/requirements.txt in a virtual environment and give its python by --python',
        }),
      );
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
    child.stdin.on('error', () => {}); // a child that ended says so itself
    child.on('error', ({ message }) => fail(message));
    child.on('close', (code) =>
      code === 0 ? resolve(out.join('')) : fail(err.join('').trim().split('\n').at(-1) ?? ''),
    );
    child.stdin.end(input);
  });
}

/** From source this file lies in bench/, compiled in dist/bench/. */
function script(): string {
  const candidates = ['./peers/checkpoint_files.py', '../../bench/peers/checkpoint_files.py'];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? paths[0];
}
