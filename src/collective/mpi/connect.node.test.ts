import { describe, expect, it } from 'vitest';
import { ALONE } from '../collective.js';
import { connectRanks } from './connect.node.js';
import { libraryNames } from './mpiLibrary.js';

describe('connectRanks', () => {
  it('is alone without a launcher, and where the environment says so', async () => {
    expect(await connectRanks({ environment: {} })).toBe(ALONE);
    const launched = { OMPI_COMM_WORLD_SIZE: '2', OMPI_COMM_WORLD_RANK: '0' };
    expect(await connectRanks({ environment: { ...launched, PLEIAD_MPI: 'none' } })).toBe(ALONE);
  });

  it('names launcher, libraries and what to do when several ranks were started and there is no MPI', async () => {
    const environment = { PMI_SIZE: '2', PMI_RANK: '1', PLEIAD_MPI: '/nowhere/libmpi.so.40' };
    await expect(connectRanks({ environment })).rejects.toThrow(
      /started 2 ranks, but MPI did not start: no MPI library could be loaded \(\/nowhere\/libmpi\.so\.40: .*\)\. Install it .*PLEIAD_MPI=/,
    );
  });
});

describe('libraryNames', () => {
  it("begins with the launcher's own family", () => {
    expect(libraryNames(['Open MPI'], undefined, 'linux')).toEqual(['libmpi.so.40', 'libmpi.so']);
    expect(libraryNames(['MPICH', 'Open MPI'], undefined, 'linux')).toEqual([
      'libmpich.so.12',
      'libmpi.so.12',
      'libmpi.so',
      'libmpi.so.40',
    ]);
  });
  it('is the given name alone, and nothing where no name is known', () => {
    expect(libraryNames(['Open MPI'], '/opt/libmpi.so')).toEqual(['/opt/libmpi.so']);
    expect(libraryNames(['Open MPI'], undefined, 'win32')).toEqual([]);
  });
});
