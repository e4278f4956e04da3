/** Whether a launcher started several ranks: mpirun, srun and their like say so in the environment. */

/** The two families of MPI libraries, which differ in how their handles look. */
export type MpiFamily = 'Open MPI' | 'MPICH';

export interface Launch {
  readonly size: number;
  readonly rank: number;
  /** For messages. */
  readonly launcher: string;
  /** Families of libraries that this launcher can have started, the likeliest first. */
  readonly families: readonly MpiFamily[];
}

type Environment = Readonly<Record<string, string | undefined>>;

interface LauncherVariables {
  readonly size: string;
  readonly rank: string;
  readonly launcher: string;
  families(environment: Environment): readonly MpiFamily[];
}

/**
 * In the order in which they count: within a Slurm job, mpirun sets its own beside Slurm's. SLURM_NTASKS is not among
 * them: a batch script has it too, and is one process.
 */
const LAUNCHERS: readonly LauncherVariables[] = [
  {
    size: 'OMPI_COMM_WORLD_SIZE',
    rank: 'OMPI_COMM_WORLD_RANK',
    launcher: "Open MPI's mpirun",
    families: () => ['Open MPI'],
  },
  {
    size: 'MV2_COMM_WORLD_SIZE',
    rank: 'MV2_COMM_WORLD_RANK',
    launcher: "MVAPICH's mpirun",
    families: () => ['MPICH'],
  },
  {
    size: 'PMI_SIZE',
    rank: 'PMI_RANK',
    launcher: "MPICH's or Intel MPI's mpirun, or srun with PMI",
    families: () => ['MPICH', 'Open MPI'],
  },
  {
    size: 'SLURM_STEP_NUM_TASKS',
    rank: 'SLURM_PROCID',
    launcher: 'srun',
    families: ({ PMIX_RANK }) => (PMIX_RANK === undefined ? ['MPICH', 'Open MPI'] : ['Open MPI', 'MPICH']),
  },
];

/** @returns undefined when this process was started alone */
export function detectLaunch(environment: Environment): Launch | undefined {
  for (const { size: sizeName, rank: rankName, launcher, families } of LAUNCHERS) {
    const [size, rank] = [environment[sizeName], environment[rankName]].map(wholeNumber);
    if (size === undefined || rank === undefined) continue;
    return size > 1 ? { size, rank, launcher, families: families(environment) } : undefined;
  }
  return undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
