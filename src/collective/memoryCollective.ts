/** Ranks within one process, for tests: what several machines do can be followed in one. */
import { peerFailed } from './agreement.js';
import type { Collective, Member, Numbers, PeerError } from './collective.js';

type Operation = 'allReduce' | 'broadcast' | 'barrier' | 'close';

interface Arrival {
  readonly operation: Operation;
  readonly values: Numbers;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Where the ranks meet: an operation is carried out when the last of them has come to it. A rank may begin operations before
 * its first one has ended; they are carried out in that order.
 */
class Meeting {
  readonly members: readonly Member[];
  /** By rank, what it is in and what it will be in next. */
  readonly #arrivals: readonly Arrival[][];
  #failure: PeerError | undefined;

  constructor(readonly size: number) {
    this.members = Array.from({ length: size }, (_, rank) => ({ rank, host: 'memory', pid: 0 }));
    this.#arrivals = this.members.map(() => []);
  }

  get absent(): readonly Member[] {
    const absent = this.members.filter(({ rank }) => this.#arrivals[rank].length === 0);
    return absent.length === this.size ? [] : absent;
  }

  arrive(rank: number, operation: Operation, values: Numbers): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#arrivals[rank].push({ operation, values, resolve, reject });
      if (this.#arrivals.every((arrivals) => arrivals.length > 0)) this.#carryOut();
    });
  }

  fail(rank: number, reason: string): void {
    this.#failure ??= peerFailed(this, rank, reason);
    for (const arrivals of this.#arrivals) for (const { reject } of arrivals.splice(0)) reject(this.#failure);
  }

  #carryOut(): void {
    const arrivals = this.#arrivals.map((queue) => queue.shift()!);
    const [first] = arrivals;
    const odd = arrivals.find(
      ({ operation, values }) => operation !== first.operation || values.length !== first.values.length,
    );
    if (odd) {
      const told = (arrival: Arrival) => `${arrival.operation} of ${arrival.values.length}`;
      for (const { reject } of arrivals) reject(new Error(`ranks disagree: ${told(first)} and ${told(odd)}`));
      return;
    }
    if (first.operation === 'allReduce') addUp(arrivals.map(({ values }) => values));
    for (const { values } of arrivals) if (values !== first.values) values.set(first.values);
    for (const { resolve } of arrivals) resolve();
  }
}

/** The sum in the order of ranks, into the first. */
function addUp([sum, ...others]: readonly Numbers[]): void {
  for (const values of others) for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}

const NOTHING = new Float32Array(0);

/** @returns as many collectives as there are ranks, by rank */
export function memoryCollectives(size: number): Collective[] {
  const meeting = new Meeting(size);
  return meeting.members.map(({ rank }) => ({
    rank,
    size,
    members: meeting.members,
    allReduce: (values) => meeting.arrive(rank, 'allReduce', values),
    broadcast: (values) => meeting.arrive(rank, 'broadcast', values),
    barrier: () => meeting.arrive(rank, 'barrier', NOTHING),
    fail: async (reason) => meeting.fail(rank, reason),
    waiting: () => ({ members: meeting.absent, elapsedMs: 0 }),
    close: () => meeting.arrive(rank, 'close', NOTHING),
  }));
}
