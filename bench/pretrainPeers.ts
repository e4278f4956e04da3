/** Whom the training step is measured against: PyTorch in a process of its own, or another engine of ours. */

import { createEngine } from '../src/engine/chooseEngine.node.js';
import type { Engine, Precision } from '../src/engine/engine.js';
import { SettingsError } from '../src/errors/errors.js';
import { say } from './report.js';
import { TorchPeer } from './torchPeer.js';
import { type StepShape, TrainingSteps } from './trainingStep.js';

/** Another way to compute the same step. */
export interface Peer {
  readonly name: string;
  /** Its process, where it has one of its own. */
  readonly pid?: number;
  readonly peakMemoryMiB?: number;
  /** Runs steps. @returns milliseconds of each */
  run(steps: number): Promise<readonly number[]>;
  stop(): Promise<void> | void;
}

/** A peer as it is asked for: "torch", "torch:bf16", "onnxruntime", "onednn:fp32". */
export interface PeerWish {
  readonly system: 'torch' | 'onnxruntime' | 'onednn';
  readonly precision: Precision;
}

const SYSTEMS: Readonly<Record<PeerWish['system'], readonly Precision[]>> = {
  torch: ['fp32', 'bf16'],
  onnxruntime: ['fp32'],
  onednn: ['fp32', 'bf16'],
};

/**
 * Reads the words of --against.
 * @throws SettingsError with every word that is none of the peers
 */
export function parsePeers(words: string): PeerWish[] {
  const known = Object.entries(SYSTEMS).flatMap(([system, precisions]) => [
    system,
    ...precisions.map((precision) => `${system}:${precision}`),
  ]);
  const unknown = words.split(',').filter((word) => !known.includes(word));
  if (unknown.length)
    throw new SettingsError(unknown.map((word) => `--against ${word}: expected one of ${known.join(', ')}`));
  return words.split(',').map((word) => {
    const [system, precision = 'fp32'] = word.split(':');
    return { system, precision } as PeerWish;
  });
}

export interface PeerOptions extends StepShape {
  readonly threads: number;
  readonly python?: string;
  /** Also measure torch under torch.compile. */
  readonly compile?: boolean;
}

/** Starts peers. @throws PleiadError when one cannot run here */
export async function startPeers(wishes: readonly PeerWish[], options: PeerOptions): Promise<Peer[]> {
  const peers: Peer[] = [];
  try {
    for (const { system, precision } of wishes) {
      if (system !== 'torch') {
        peers.push(await EnginePeer.start(system, precision, options));
        continue;
      }
      for (const compile of options.compile ? [false, true] : [false]) {
        say(`starting torch, ${precision}, ${compile ? 'compiled (this takes a while)' : 'eager'} …`);
        peers.push(await TorchPeer.start({ ...options, precision, compile }));
      }
    }
  } catch (error) {
    for (const peer of peers) await peer.stop();
    throw error;
  }
  return peers;
}

/** Steps to warm up: the first are planned, and find memory cold. */
export const WARMUP_STEPS = 5;

class EnginePeer implements Peer {
  private constructor(
    readonly name: string,
    private readonly engine: Engine,
    private readonly steps: TrainingSteps,
  ) {}

  static async start(
    system: 'onnxruntime' | 'onednn',
    precision: Precision,
    options: PeerOptions,
  ): Promise<EnginePeer> {
    const engine = await createEngine({ engine: system, precision, threads: options.threads });
    try {
      const steps = await TrainingSteps.create(engine, options);
      for (let i = 0; i < WARMUP_STEPS; i++) await steps.run();
      return new EnginePeer(`${engine.name}, ${precision}`, engine, steps);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  async run(steps: number): Promise<readonly number[]> {
    const ms: number[] = [];
    for (let i = 0; i < steps; i++) ms.push((await this.steps.run()).totalMs);
    return ms;
  }

  async stop(): Promise<void> {
    await this.steps.release();
    await this.engine.close();
  }
}
