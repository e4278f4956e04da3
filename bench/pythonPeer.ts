/** A Python program under bench/peers that answers a line of JSON to each line that it is given. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PleiadError } from '../src/errors/errors.js';

export interface PythonPeerOptions {
  /** By default that of PLEIAD_PYTHON, else `python3`. */
  readonly python?: string;
  /** File in bench/peers. */
  readonly script: string;
  readonly words: readonly string[];
}

/** From source this file lies in bench/, compiled in dist/bench/. */
function pathOf(script: string): string {
  const candidates = [`./peers/${script}`, `../../bench/peers/${script}`];
  const paths = candidates.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return paths.find((path) => existsSync(path)) ?? paths[0];
}

export class PythonPeer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  private constructor({ python, script, words }: PythonPeerOptions) {
    const program = python ?? process.env.PLEIAD_PYTHON ?? 'python3';
    this.#child = spawn(program, [pathOf(script), ...words], {
      // Threads that wait leave the cores to the other side.
      env: { OMP_WAIT_POLICY: 'PASSIVE', KMP_BLOCKTIME: '0', ...process.env },
    });
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4000);
    });
    this.#child.on('error', ({ message }) => {
      this.#errors += message;
    });
    this.#child.stdin.on('error', () => {}); // a peer that ended is reported by the line that does not come
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when the peer has said `ready`. @throws PleiadError when Python or what it imports is missing */
  static async start(options: PythonPeerOptions): Promise<PythonPeer> {
    const peer = new PythonPeer(options);
    const { value, done } = await peer.#lines.next();
    if (!done && value === 'ready') return peer;
    throw new PleiadError(`the peer did not start: ${peer.#lastError}`, {
      subject: 'python',
      expected: 'a Python with torch and transformers',
      advice: 'Install bench/peers/requirements.txt in a virtual environment and give its python by --python',
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get #lastError(): string {
    return this.#errors.trim().split('\n').at(-1) || 'it ended without a message';
  }

  async ask<T>(command: string): Promise<T> {
    this.#child.stdin.write(`${command}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new PleiadError(`the peer ended: ${this.#lastError}`);
    return JSON.parse(value as string) as T;
  }

  /** Asks a peer to end what it is doing, which it answers all the same. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  stop(): void {
    this.#child.stdin.end('quit\n');
  }
}
