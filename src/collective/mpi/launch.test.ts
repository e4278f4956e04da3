import { describe, expect, it } from 'vitest';
import { detectLaunch } from './launch.js';

describe('the environment of a process', () => {
  it('that was started alone says nothing, also within a Slurm batch script', () => {
    expect(detectLaunch({})).toBeUndefined();
    expect(detectLaunch({ SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBeUndefined();
  });

  it.each([
    ["Open MPI's mpirun", { OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_RANK: '3', PMIX_RANK: '3' }, 'Open MPI'],
    ["MPICH's mpirun", { PMI_SIZE: '4', PMI_RANK: '3', PMI_FD: '6', MPI_LOCALNRANKS: '2' }, 'MPICH'],
    ["MVAPICH's mpirun", { MV2_COMM_WORLD_SIZE: '4', MV2_COMM_WORLD_RANK: '3' }, 'MPICH'],
    ['srun with PMIx', { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '3', PMIX_RANK: '3' }, 'Open MPI'],
    ['srun with PMI2', { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '3', PMI_RANK: '3', PMI_SIZE: '4' }, 'MPICH'],
    ['srun without either', { SLURM_STEP_NUM_TASKS: '4', SLURM_PROCID: '3' }, 'MPICH'],
  ])('tells rank and size under %s', (_launcher, environment, likeliest) => {
    expect(detectLaunch(environment)).toMatchObject({ size: 4, rank: 3 });
    expect(detectLaunch(environment)!.families[0]).toBe(likeliest);
  });

  it("goes by mpirun's own numbers within a Slurm job", () => {
    const environment = { OMPI_COMM_WORLD_SIZE: '8', OMPI_COMM_WORLD_RANK: '5' };
    expect(detectLaunch({ SLURM_STEP_NUM_TASKS: '2', SLURM_PROCID: '1', ...environment })).toMatchObject({
      size: 8,
      rank: 5,
    });
  });

  it('of the only rank is that of a process alone', () => {
    expect(detectLaunch({ OMPI_COMM_WORLD_SIZE: '1', OMPI_COMM_WORLD_RANK: '0' })).toBeUndefined();
  });
});
