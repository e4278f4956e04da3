/** The same training step in PyTorch + transformers, as a child process that runs steps when told to. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Precision } from '../src/engine/engine.js';
import { PleiadError } from '../src/errors/errors.js';
import type { StepShape } from './trainingStep.js';

export interface TorchPeerOptions extends Pick<StepShape, 'size' | 'batch' | 'length'> {
  /** A Python with torch and transformers; by default that of PLEIAD_PYTHON, else `python3`. */
  readonly python?: string;
  readonly threads: number;
  readonly compile: boolean;
  readonly precision: Precision;
}

interface PeerSteps {
  readonly ms: readonly number[];
  readonly peakMemoryMiB: number;
}

/**
 * OpenMP threads (of GNU and of Intel) that sleep as soon as they have nothing to do, so that a waiting peer leaves the
 * cores to the other side, and is not held up itself by threads that wait spinning for one that has no core. The caller's
 * own environment goes first: OMP_WAIT_POLICY=ACTIVE shows the peer with spinning threads.
 */
const QUIET_THREADS = { OMP_WAIT_POLICY: 'PASSIVE', KMP_BLOCKTIME: '0' };

/** From source this file lies in bench/, compiled in dist/bench/. */
function peerScript(): string {
  const candidates = ['./peers/electra_step.py', '../../bench/peers/electra_step.py'];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? paths[0];
}

export class TorchPeer {
  readonly name: string;
  peakMemoryMiB = 0;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  private constructor(options: TorchPeerOptions, python: string) {
    const { size, batch, length, threads, compile, precision } = options;
    this.name = `torch + transformers, ${precision}, ${compile ? 'compiled' : 'eager'}`;
    const numbers = { size, batch, length, threads, precision };
    const words = Object.entries(numbers).flatMap(([key, value]) => [`--${key}`, String(value)]);
    this.#child = spawn(python, [peerScript(), ...words, ...(compile ? ['--compile'] : []), '--serve'], {
      env: { ...QUIET_THREADS, ...process.env },
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#child.stdin.on('error', () => {}); // a peer that ended is reported by the line that does not come
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Starts the peer; resolves when it has warmed up.
   * @throws PleiadError when Python, torch or transformers is missing
   */
  static async start(options: TorchPeerOptions): Promise<TorchPeer> {
    const python = options.python ?? process.env.PLEIAD_PYTHON ?? 'python3';
    const peer = new TorchPeer(options, python);
    const failed = new Promise<never>((_, reject) => {
      peer.#child.once('error', ({ message }) => reject(missingPeer(python, message)));
    });
    await Promise.race([peer.#expectReady(python), failed]);
    return peer;
  }

  async #expectReady(python: string): Promise<void> {
    const { value, done } = await this.#lines.next();
    if (done || value !== 'ready') throw missingPeer(python, this.#lastError());
  }

  #lastError(): string {
    return this.#errors.trim().split('\n').at(-1) || 'it ended without a message';
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Runs steps. @returns milliseconds of each */
  async run(steps: number): Promise<readonly number[]> {
    this.#child.stdin.write(`run ${steps}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new PleiadError(`${this.name}: the peer ended: ${this.#lastError()}`);
    const { ms, peakMemoryMiB } = JSON.parse(value as string) as PeerSteps;
    this.peakMemoryMiB = Math.round(peakMemoryMiB);
    return ms;
  }

  stop(): void {
    this.#child.stdin.end('quit\n');
  }
}

function missingPeer(python: string, reason: string): PleiadError {
  return new PleiadError(`${python} cannot run the torch peer: ${reason}`, {
    subject: python,
    expected: 'a Python with torch and transformers',
    advice:
      'Install bench/peers/requirements.txt in a virtual environment and give its python by --python or PLEIAD_PYTHON; --compile also needs a C++ compiler',
  });
}
