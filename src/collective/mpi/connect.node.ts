/** The collective of this process: the ranks that it was started with, or itself alone. */
import { ALONE, type Collective } from '../collective.js';
import { detectLaunch } from './launch.js';
import { startMpi } from './mpiCollective.node.js';
import { libraryNames, MpiLibrary, prepareEnvironment } from './mpiLibrary.js';

export interface ConnectOptions {
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How long a rank may keep the others waiting before the run ends, in milliseconds. Default 10 minutes. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 600_000;
/** In PLEIAD_MPI: ranks that were started together have nothing to do with one another. */
const NONE = 'none';

/**
 * Finds the ranks that a launcher (mpirun, srun) has started beside this one; there is nothing to be set. The environment
 * may name an MPI library in PLEIAD_MPI, or say "none".
 * @throws CollectiveError when several ranks were started and cannot find one another
 */
export async function connectRanks({
  environment = process.env,
  timeoutMs = TIMEOUT_MS,
}: ConnectOptions = {}): Promise<Collective> {
  const launch = detectLaunch(environment);
  const library = environment.PLEIAD_MPI || undefined;
  if (!launch || library === NONE) return ALONE;
  return startMpi(launch, { library, timeoutMs });
}

/** The MPI libraries of this machine, each by what it says of itself; none is initialized. */
export async function findMpi(environment = process.env): Promise<string[]> {
  prepareEnvironment();
  const named = environment.PLEIAD_MPI === NONE ? undefined : environment.PLEIAD_MPI;
  const found = new Set<string>();
  try {
    const { default: koffi } = await import('koffi');
    for (const name of libraryNames(['Open MPI', 'MPICH'], named || undefined)) {
      try {
        const library = MpiLibrary.load(koffi, [name]);
        found.add(`${library.version} (${library.name})`);
      } catch {
        // Not here, or of another kind.
      }
    }
  } catch {
    // Without koffi there is no way to call it.
  }
  return [...found];
}
