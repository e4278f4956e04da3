/** The collective of this process: the ranks that it was started with, or itself alone. */
import { ALONE, type Collective } from '../collective.js';
import { detectLaunch } from './launch.js';
import { startMpi } from './mpiCollective.js';

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
