/**
 * Two ranks under the MPI launchers of this machine. What they compute is followed in src/training/ranks.test.ts; here it
 * is processes that start, exchange, stop and die.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { floatTensor } from '../src/checkpoint/modelFolder.node.js';
import { SafetensorsFile } from '../src/formats/safetensors.node.js';
import { afterCheckpoint, ENVIRONMENT, type Ended, findLaunchers, pidOfRank, run, tinyRun } from './mpiRuns.js';
import { prepareTinyShards } from './tinyShards.js';

// Each run takes seconds; on a busy machine, where ranks wait for one another's turn on a processor, it takes a minute.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const launchers = findLaunchers();
const openMpi = launchers.find(({ family }) => family === 'Open MPI');
const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
if (launchers.length === 0)
  console.log('skipped: tests of several ranks, as there is no mpirun (apt install openmpi-bin)');
else if (!openMpi) console.log('skipped: tests of ranks that die, as there is no mpirun of Open MPI');

const folder = mkdtempSync(join(tmpdir(), 'mpi-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const out = (name: string) => join(folder, name);

function ranks(
  { command, flags } = openMpi!,
  name: string,
  {
    count = 2,
    change = {},
    ...options
  }: { count?: number; change?: Record<string, string | number> } & Parameters<typeof run>[2] = {},
): Promise<Ended> {
  return run(command, [...flags, '-np', String(count), ...tinyRun(folder, out(name), change)], options);
}

/** The trained weights of a run's last checkpoint. */
function weights(name: string): Map<string, Float32Array> {
  const step = readFileSync(join(out(name), 'latest'), 'utf8').trim();
  const tensors = new Map<string, Float32Array>();
  for (const model of ['generator', 'discriminator']) {
    const file = SafetensorsFile.open(join(out(name), 'checkpoints', step, model, 'model.safetensors'));
    for (const tensor of file.names) tensors.set(`${model} ${tensor}`, floatTensor(file, tensor).data);
    file.close();
  }
  return tensors;
}

describe.skipIf(launchers.length === 0)('several ranks', () => {
  let alone: Ended;
  const undisturbed = new Map<string, Ended>();
  beforeAll(async () => {
    await prepareTinyShards(folder);
    const [node, ...words] = tinyRun(folder, out('alone'));
    alone = await run(node, words);
    expect(alone.code, alone.messages).toBe(0);
    for (const launcher of launchers)
      undisturbed.set(launcher.family, await ranks(launcher, `two-${launcher.command}`));
  });

  describe.each(launchers)('under mpirun of $family', (launcher) => {
    const whole = () => undisturbed.get(launcher.family)!;

    it('follow one rank at the same settings, up to rounding, and rank 0 alone speaks', () => {
      expect(whole().code, whole().messages).toBe(0);
      expect(whole().messages).toContain('2 ranks: ');
      expect(whole().lines).toHaveLength(1);
      expect(whole().result!.weightsSha256).not.toBe(alone.result!.weightsSha256);
      const expected = weights('alone');
      let largest = 0;
      for (const [name, values] of weights(`two-${launcher.command}`)) {
        values.forEach((value, i) => {
          largest = Math.max(largest, Math.abs(value - expected.get(name)![i]));
        });
      }
      // 60 steps at 4e-4 move a weight by up to 0.02.
      expect(largest).toBeLessThan(2e-4);
    });

    it('end with the same bits each time', async () => {
      const again = await ranks(launcher, `again-${launcher.command}`);
      expect(again.code, again.messages).toBe(0);
      expect(again.result!.weightsSha256).toBe(whole().result!.weightsSha256);
    });

    it.runIf(isLinux)('stop together when one is told to, write a checkpoint, and go on to the same bits', async () => {
      const name = `interrupted-${launcher.command}`;
      const stopped = await ranks(launcher, name, {
        onMessage: afterCheckpoint(() => process.kill(pidOfRank(1, out(name)), 'SIGINT')),
      });
      expect(stopped.result, stopped.messages).toMatchObject({ interrupted: true });
      expect(stopped.result!.steps).toBeLessThan(60);
      const resumed = await ranks(launcher, name);
      expect(resumed.code, resumed.messages).toBe(0);
      expect(resumed.result!.weightsSha256).toBe(whole().result!.weightsSha256);
    });

    it.runIf(isLinux)(
      'leave a whole checkpoint behind when one is killed; resuming ends with the same bits',
      async () => {
        const name = `killed-${launcher.command}`;
        let pid = 0;
        const killed = await ranks(launcher, name, {
          onMessage: afterCheckpoint(() => {
            pid = pidOfRank(1, out(name));
            process.kill(pid, 'SIGKILL');
          }),
        });
        expect(killed.code).not.toBe(0);
        expect(killed.result?.weightsSha256).toBeUndefined();
        // MPICH's launcher ends the others so soon that only its own words come out: they have the process and the signal.
        if (launcher.family === 'Open MPI') {
          expect(killed.messages).toMatch(
            /the run ends at step \d+: rank 1 \(\S+, process \d+\): its process is gone\./,
          );
          expect(killed.messages).toContain(`process ${pid})`);
          expect(killed.messages).toMatch(/The newest checkpoint is \S+step-\d+; go on from it with --resume/);
        } else {
          expect(killed.messages + killed.lines.join()).toContain(String(pid));
        }
        const resumed = await ranks(launcher, name);
        expect(resumed.code, resumed.messages).toBe(0);
        expect(resumed.messages).toContain('going on from');
        expect(resumed.result!.weightsSha256).toBe(whole().result!.weightsSha256);
      },
    );
  });

  describe.skipIf(!openMpi)('that cannot go on together', () => {
    it('say so when the rows of a step cannot be divided, and begin no run', async () => {
      const ended = await ranks(openMpi, 'three', { count: 3 });
      expect(ended.code).not.toBe(0);
      expect(ended.messages).toContain('8 rows (batchSize 4 × accumulation 2), which 3 ranks cannot share equally');
      expect(ended.lines).toHaveLength(1);
      expect(existsSync(out('three'))).toBe(false);
    });

    it('say so when one does not see the shards, and begin no run', async () => {
      const elsewhere = join(folder, 'elsewhere');
      mkdirSync(elsewhere);
      const command = tinyRun(folder, out('unseen'), { data: 'shards' });
      const words = ['-np', '1', '--wdir', folder, ...command, ':', '-np', '1', '--wdir', elsewhere, ...command];
      const ended = await run(openMpi!.command, [...openMpi!.flags, ...words]);
      expect(ended.code).not.toBe(0);
      expect(ended.messages).toMatch(/pleiad: rank 1 \(.*\) of 2: .*shards/);
      expect(ended.messages).toMatch(/pleiad: rank 1 \(.*\) failed: .*shards/);
      expect(existsSync(out('unseen'))).toBe(false);
    });

    it('say so when their shards are not the same, and begin no run', async () => {
      const other = join(folder, 'other');
      mkdirSync(other);
      await prepareTinyShards(other, 8);
      const command = tinyRun(folder, out('unequal'), { data: 'shards' });
      const words = ['-np', '1', '--wdir', folder, ...command, ':', '-np', '1', '--wdir', other, ...command];
      const ended = await run(openMpi!.command, [...openMpi!.flags, ...words]);
      expect(ended.code).not.toBe(0);
      expect(ended.messages).toMatch(/pleiad: shards is not the same on all ranks: it differs on rank 1 \(/);
      expect(existsSync(out('unequal'))).toBe(false);
    });

    it('say so when the library is not there, or is not that of the launcher', async () => {
      const missing = await ranks(openMpi, 'missing', { env: { ...ENVIRONMENT, PLEIAD_MPI: '/nowhere/libmpi.so' } });
      expect(missing.code).not.toBe(0);
      expect(missing.messages).toContain("Open MPI's mpirun started 2 ranks, but MPI did not start");
      expect(missing.messages).toMatch(/\/nowhere\/libmpi\.so.*apt install openmpi-bin.*PLEIAD_MPI=/);
      if (launchers.length < 2) return;
      const other = await ranks(openMpi, 'other', { env: { ...ENVIRONMENT, PLEIAD_MPI: 'libmpich.so.12' } });
      expect(other.code).not.toBe(0);
      expect(other.messages).toMatch(/MPICH \S+ \(libmpich\.so\.12\) sees 1 and takes it for rank 0/);
    });

    it.runIf(isLinux)('end after the time that was given when one hangs, naming it', async () => {
      const name = 'hanging';
      let pid = 0;
      const ended = await ranks(openMpi, name, {
        change: { 'rank-timeout': '3s' },
        onMessage: afterCheckpoint(() => {
          pid = pidOfRank(1, out(name));
          process.kill(pid, 'SIGSTOP');
        }),
      });
      expect(ended.code).not.toBe(0);
      expect(ended.messages).toMatch(/the run ends at step \d+: rank 1 \(\S+, process \d+\): no answer for \d+ s/);
      expect(ended.messages).toContain(`process ${pid})`);
    });

    it.runIf(isLinux && isRoot)(
      'end when the disk of rank 0 is full; nothing is lost, and they go on when there is room',
      async () => {
        const disk = join(folder, 'disk');
        mkdirSync(disk);
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1500k', 'tmpfs', disk]);
        try {
          const keep = { 'keep-checkpoints': 100, 'log-every': 1000 };
          const full = await ranks(openMpi, 'disk/run', { change: keep });
          expect(full.code).not.toBe(0);
          expect(full.messages).toMatch(/could not be written: the disk is full.*checkpoints/);
          execFileSync('mount', ['-o', 'remount,size=40m', disk]);
          const resumed = await ranks(openMpi, 'disk/run', { change: keep });
          expect(resumed.code, resumed.messages).toBe(0);
          expect(resumed.messages).toContain('going on from');
          expect(resumed.result!.weightsSha256).toBe(undisturbed.get('Open MPI')!.result!.weightsSha256);
        } finally {
          execFileSync('umount', [disk]);
        }
      },
    );
  });
});
