/** Runs of the compiled command line under an MPI launcher, for end-to-end tests. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));

export interface Launcher {
  readonly family: 'Open MPI' | 'MPICH';
  readonly command: string;
  /** Flags before the program. */
  readonly flags: readonly string[];
}

/** The launchers of this machine, one a family. Both may be installed; `mpirun` is then one of them. */
export function findLaunchers(): Launcher[] {
  const found = new Map<Launcher['family'], Launcher>();
  for (const command of ['mpirun.openmpi', 'mpirun.mpich', 'mpirun']) {
    const { stdout = '', error } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (error) continue;
    const family = /Open ?MPI|OpenRTE/i.test(stdout) ? 'Open MPI' : /HYDRA|MPICH/i.test(stdout) ? 'MPICH' : undefined;
    if (family && !found.has(family)) {
      found.set(family, { family, command, flags: family === 'Open MPI' ? ['--oversubscribe'] : [] });
    }
  }
  return [...found.values()];
}

/** Lets Open MPI run as root, as tests in a container do. */
export const ENVIRONMENT = { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' };

export interface Ended {
  readonly code: number | null;
  /** The lines of standard output: of all ranks, as the launcher gathers them. */
  readonly lines: readonly string[];
  /** Standard error. */
  readonly messages: string;
  /** The JSON line, where there is one. */
  readonly result?: { readonly steps: number; readonly weightsSha256: string; readonly interrupted: boolean };
}

/** Longer than any of these runs takes on a busy machine. */
const LIMIT_MS = 240_000;

/** A small model that learns in seconds; with dropout, so that all draws are looked at. */
export function tinyRun(folder: string, out: string, change: Record<string, string | number> = {}): string[] {
  const settings = {
    data: join(folder, 'shards'),
    out,
    size: 'tiny',
    model: 'hiddenSize=32,numHiddenLayers=2,numAttentionHeads=2,intermediateSize=64,embeddingSize=16',
    // Rounding to bf16 would hide what is compared here.
    precision: 'fp32',
    steps: 60,
    length: 32,
    'batch-size': 4,
    accumulation: 2,
    'hidden-dropout': 0.1,
    'evaluate-every': 20,
    'checkpoint-every': 4,
    'log-every': 1,
    threads: 1,
    ...change,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return [process.execPath, CLI, 'pretrain', ...flags, '--resume', '--json'];
}

/**
 * Starts a command and gathers what it says.
 * @param onMessage  gets all of standard error so far, each time there is more
 */
export function run(
  command: string,
  words: readonly string[],
  {
    onMessage = () => {},
    env = ENVIRONMENT,
  }: { onMessage?(messages: string, child: ChildProcess): void; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  // SIGTERM: a launcher that is killed outright leaves its ranks behind.
  const child = spawn(command, words, { env, timeout: LIMIT_MS, killSignal: 'SIGTERM' });
  let output = '';
  let messages = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => {
    messages += chunk;
    onMessage(messages, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const lines = output.split(/\r?\n/).filter((line) => line !== '');
      const json = lines.find((line) => line.startsWith('{"'));
      resolve({ code, lines, messages, result: json ? JSON.parse(json) : undefined });
    });
  });
}

/** The process of a rank of a run that writes to `out`; Linux only. */
export function pidOfRank(rank: number, out: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words[1] !== CLI || !words.includes(out)) continue;
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (environment.some((entry) => entry === `OMPI_COMM_WORLD_RANK=${rank}` || entry === `PMI_RANK=${rank}`)) {
        return Number(pid);
      }
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`rank ${rank} of ${out} is not running`);
}

/** Calls `act` once, when the run has saved a checkpoint and done a step more. */
export function afterCheckpoint(act: (child: ChildProcess) => void): (messages: string, child: ChildProcess) => void {
  let done = false;
  return (messages, child) => {
    if (done || !/checkpoints\/step-\d+[^\n]*\n(.*\n)*step \d+\//.test(messages)) return;
    done = true;
    act(child);
  };
}
