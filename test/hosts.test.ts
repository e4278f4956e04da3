/**
 * Two machines made of network namespaces: each has an address and a name of its own, and a cable between them that can be
 * pulled out. Needs root, Linux, iproute2 and Open MPI; a script stands in for ssh.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { afterCheckpoint, type Ended, findLaunchers, run, tinyRun } from './mpiRuns.js';
import { prepareTinyShards } from './tinyShards.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const launcher = findLaunchers().find(({ family }) => family === 'Open MPI');
/** Why there can be no machines here. */
const missing = [
  process.platform === 'linux' ? undefined : 'this is no Linux',
  process.getuid?.() === 0 ? undefined : 'they need root',
  launcher ? undefined : 'there is no mpirun of Open MPI (apt install openmpi-bin)',
  works('ip', ['netns', 'list']) ? undefined : 'there is no ip netns (apt install iproute2)',
  works('unshare', ['--uts', 'true']) ? undefined : 'host names cannot be set here',
].filter((reason) => reason !== undefined);
if (missing.length > 0) console.log(`skipped: tests of two machines, as ${missing.join(', ')}`);

function works(command: string, words: string[]): boolean {
  return spawnSync(command, words).status === 0;
}

/** Names that no other run on this machine has. */
const id = process.pid % 100_000;
const HOSTS = [0, 1].map((index) => ({
  namespace: `pleiad${id}-${index}`,
  cable: `pl${id}${'ab'[index]}`,
  hostName: `machine-${'ab'[index]}`,
  address: `10.${64 + (id % 64)}.77.${index + 1}`,
}));
const [here, there] = HOSTS;
const subnet = here.address.replace(/\d+$/, '0/24');
const ip = (...words: string[]) => execFileSync('ip', words);

const folder = mkdtempSync(join(tmpdir(), 'hosts-'));
const agent = join(folder, 'agent.sh');

function makeHosts(): void {
  for (const { namespace } of HOSTS) ip('netns', 'add', namespace);
  ip('link', 'add', here.cable, 'type', 'veth', 'peer', 'name', there.cable);
  for (const { namespace, cable, address } of HOSTS) {
    ip('link', 'set', cable, 'netns', namespace);
    ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', cable);
    ip('-n', namespace, 'link', 'set', cable, 'up');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  // Called as ssh is: options, the host, a command line for its shell.
  const enter = `ip netns exec ${there.namespace} unshare --uts sh -c 'hostname ${there.hostName}; exec sh -c "$0"'`;
  writeFileSync(agent, `#!/bin/sh\nwhile [ "\${1#-}" != "$1" ]; do shift; done\nshift\nexec ${enter} "$*"\n`);
  chmodSync(agent, 0o755);
}

/** What mpirun says when it did not come so far as to start a rank. */
const NOT_LAUNCHED = /unable to reliably start one or more daemons/;

/** Two ranks, one on each machine, started on the first; once more where mpirun did not start them, as may be right after a cut. */
async function onHosts(...given: Parameters<typeof launched>): Promise<Ended> {
  const ended = await launched(...given);
  if (ended.code === 0 || !NOT_LAUNCHED.test(ended.messages)) return ended;
  endAllThere();
  return launched(...given);
}

/** What a lost machine still does ends with its power. */
function endAllThere(): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', there.namespace], { encoding: 'utf8' });
  for (const pid of stdout.split('\n').filter(Boolean)) spawnSync('kill', ['-9', pid]);
}

function launched(
  name: string,
  change: Record<string, string | number> = {},
  options: Parameters<typeof run>[2] = {},
): Promise<Ended> {
  const mca = {
    plm_rsh_agent: agent,
    btl: 'tcp,self',
    btl_tcp_if_include: subnet,
    oob_tcp_if_include: subnet,
    // How soon mpirun itself notices that a machine is out of reach.
    oob_tcp_keepalive_time: '5',
    oob_tcp_keepalive_intvl: '1',
    oob_tcp_keepalive_probes: '3',
    // From SIGTERM to SIGKILL; the second that is usual may be too short for a last word on a busy machine.
    odls_base_sigkill_timeout: '10',
  };
  const words = [
    // Each machine would bind its rank to its first core, and these two machines have the same one.
    ...['--bind-to', 'none', '-np', '2', '-H', HOSTS.map(({ address }) => address).join(',')],
    ...Object.entries(mca).flatMap(([key, value]) => ['--mca', key, value]),
    ...tinyRun(folder, join(folder, name), change),
  ];
  const enter = ['netns', 'exec', here.namespace, 'unshare', '--uts', 'sh', '-c'];
  return run('ip', [...enter, `hostname ${here.hostName}; exec "$0" "$@"`, launcher!.command, ...words], options);
}

const setCable = (state: 'up' | 'down') => ip('-n', here.namespace, 'link', 'set', here.cable, state);

describe.skipIf(missing.length > 0)('ranks on two machines', () => {
  let whole: Ended;
  beforeAll(async () => {
    makeHosts();
    await prepareTinyShards(folder);
    whole = await onHosts('whole');
  });
  afterAll(() => {
    for (const { namespace } of HOSTS) spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(folder, { recursive: true, force: true });
  });

  // Whatever a test came to, the next one finds the cable in its place.
  afterEach(() => {
    endAllThere();
    setCable('up');
  });

  it('train together, and get the weights of two ranks on one machine, bit for bit', async () => {
    expect(whole.code, whole.messages).toBe(0);
    expect(whole.messages).toContain(`2 ranks: ${here.hostName} (1), ${there.hostName} (1)`);
    const { command, flags } = launcher!;
    const local = await run(command, [...flags, '-np', '2', ...tinyRun(folder, join(folder, 'local'))]);
    expect(local.code, local.messages).toBe(0);
    expect(whole.result!.weightsSha256).toBe(local.result!.weightsSha256);
  });

  it('end soon when the cable is pulled out, naming the machine; nothing is lost, and they go on once it is back', async () => {
    const cut = await onHosts('cut', {}, { onMessage: afterCheckpoint(() => setCable('down')) });
    expect(cut.code).not.toBe(0);
    expect(cut.result).toBeUndefined();
    expect(cut.messages).toMatch(new RegExp(`still waiting for rank 1 \\(${there.hostName}, process \\d+\\)`));
    const latest = readFileSync(join(folder, 'cut', 'latest'), 'utf8').trim();
    expect(existsSync(join(folder, 'cut', 'checkpoints', latest, 'trainer.json'))).toBe(true);
    endAllThere();
    setCable('up');
    const resumed = await onHosts('cut');
    expect(resumed.code, resumed.messages).toBe(0);
    expect(resumed.messages).toMatch(/going on from \S+step-\d+/);
    expect(resumed.result!.weightsSha256).toBe(whole.result!.weightsSha256);
  });

  it('end after the time that was given when the cable is out for longer, without waiting for the launcher', async () => {
    let ended = Number.POSITIVE_INFINITY;
    let cutAt = 0;
    const watch = afterCheckpoint(() => {
      cutAt = performance.now();
      setCable('down');
    });
    const cut = await onHosts(
      'impatient',
      { 'rank-timeout': '2s' },
      {
        onMessage: (messages, child) => {
          watch(messages, child);
          if (ended < Number.POSITIVE_INFINITY || !messages.includes('the run ends')) return;
          ended = performance.now();
          // mpirun itself would go on trying to reach the other machine.
          setCable('up');
        },
      },
    );
    expect(cut.code).not.toBe(0);
    expect(cut.messages).toMatch(
      new RegExp(
        `the run ends at step \\d+: rank 1 \\(${there.hostName}, process \\d+\\): no answer for \\d+ s\\. The newest checkpoint is`,
      ),
    );
    expect(ended - cutAt).toBeLessThan(20_000);
  });
});
