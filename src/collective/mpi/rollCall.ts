/**
 * How ranks meet: each tells rank 0 that it has come, rank 0 tells all when the last is there. A few numbers travel along
 * and come back as their sums.
 *
 * MPI's own barrier would do, but whoever waits in it spins on a processor, can be neither asked nor ended, and does not
 * know for whom it waits. So a rank waits here, looking for messages now and then, and goes into MPI's own operations
 * only with all others at its side.
 */
import type { Failure, Operation } from './mpiProtocol.js';

/** What is needed of MPI. */
export interface Mail {
  send(values: Float64Array, to: number, tag: number): void;
  hasMessage(tag: number, from?: number): boolean;
  receive(into: Float64Array, tag: number, from?: number): void;
}

/** What ended a meeting. */
export class MeetingFailed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.reason);
  }
}

export interface RollCallOptions {
  readonly rank: number;
  readonly size: number;
  /** How long rank 0 waits for the others. */
  readonly timeoutMs: number;
  setMissing(rank: number, missing: boolean): void;
  /** Waits without taking a processor. */
  sleep(ms: number): void;
  now(): number;
  /** Whether a process of this machine is there. */
  isAlive(pid: number): boolean;
}

const TAG = { here: 1, go: 2, failed: 3, understood: 4 } as const;
/** Of messages in numbers: below what libraries send without waiting for the receiver (4 KiB in Open MPI's shared memory). */
const MESSAGE = 256;
/** Which meeting it is, what for, and how many numbers come with it: a check that all ranks do the same. */
const HEADER = 3;
export const MOST_VALUES = MESSAGE - HEADER;
const OPERATIONS: readonly Operation[] = ['allReduce', 'broadcast', 'barrier', 'close'];

/** The others wait longer than rank 0, which alone knows who is missing: its word shall come first. */
const GRACE_MS = 10_000;
/** Spins as long as a meeting of ranks in step takes, then sleeps, longer the longer it has waited. */
const SPIN_MS = 0.3;
const LONGEST_SLEEP_MS = 1;
const SLEEP_SHARE = 0.02;
/** How often a waiting rank looks whether processes are alive. */
const ALIVE_EVERY_MS = 200;
/** How long a rank that has failed stays for the others to hear of it: they may be in the middle of a step. */
const FAREWELL_MS = 30_000;

export class RollCall {
  /** Process ids of the other ranks on this machine. */
  neighbours: ReadonlyMap<number, number> = new Map();
  #meetings = 0;
  #failed: MeetingFailed | undefined;
  readonly #message = new Float64Array(MESSAGE);

  constructor(
    private readonly mail: Mail,
    private readonly options: RollCallOptions,
  ) {}

  /**
   * Waits for all ranks.
   * @param values  at most MOST_VALUES numbers; comes back as the sums over all ranks, added in their order, or as those
   *                of rank 0 where the operation is `broadcast`
   * @throws MeetingFailed when a rank failed, died or did not come in time
   */
  meet(operation: Operation, values: Float64Array): void {
    if (this.#failed) throw this.#failed;
    const header = [this.#meetings++, OPERATIONS.indexOf(operation), values.length];
    if (this.options.rank === 0) this.#lead(header, operation, values);
    else this.#follow(header, values);
  }

  #lead(header: readonly number[], operation: Operation, values: Float64Array): void {
    const others = Array.from({ length: this.options.size - 1 }, (_, i) => i + 1);
    const brought = new Map<number, Float64Array>();
    this.#waitFor(new Set(others), this.options.timeoutMs, TAG.here, (from) => {
      brought.set(from, this.#receive(header, TAG.here, from));
    });
    if (operation === 'allReduce') {
      for (const from of others) brought.get(from)!.forEach((value, i) => (values[i] += value));
    }
    for (const to of others) this.#send(header, values, TAG.go, to);
  }

  #follow(header: readonly number[], values: Float64Array): void {
    this.#send(header, values, TAG.here, 0);
    this.#waitFor(new Set([0]), this.options.timeoutMs + GRACE_MS, TAG.go, () => {
      values.set(this.#receive(header, TAG.go, 0));
    });
  }

  #waitFor(missing: Set<number>, timeoutMs: number, tag: number, onMessage: (from: number) => void): void {
    const { setMissing, sleep, now } = this.options;
    const startedAt = now();
    let lookedAt = startedAt;
    for (const rank of missing) setMissing(rank, true);
    try {
      while (missing.size > 0) {
        for (const rank of missing) {
          if (!this.mail.hasMessage(tag, rank)) continue;
          onMessage(rank);
          missing.delete(rank);
          setMissing(rank, false);
        }
        if (missing.size === 0) break;
        this.hearFailures();
        if (this.#failed) throw this.#failed;
        const waitedMs = now() - startedAt;
        if (now() - lookedAt >= ALIVE_EVERY_MS) {
          lookedAt = now();
          this.#checkAlive(missing);
        }
        if (waitedMs > timeoutMs) throw this.#fail(silent([...missing], waitedMs));
        if (waitedMs > SPIN_MS) sleep(Math.min(LONGEST_SLEEP_MS, waitedMs * SLEEP_SHARE));
      }
    } finally {
      for (const rank of missing) setMissing(rank, false);
    }
  }

  /** Looks for ranks that say that they cannot go on, and lets them go. */
  hearFailures(): void {
    while (this.mail.hasMessage(TAG.failed)) {
      this.mail.receive(this.#message, TAG.failed);
      const [from, length] = this.#message;
      const bytes = new Uint8Array(this.#message.buffer, HEADER * Float64Array.BYTES_PER_ELEMENT, length);
      this.#fail({ failure: 'failed', ranks: [from], reason: new TextDecoder().decode(bytes) });
      this.mail.send(Float64Array.of(this.options.rank), from, TAG.understood);
    }
  }

  /** Tells all others that this rank cannot go on, and waits until they know; not for ever. */
  fail(reason: string): void {
    if (this.#failed) return;
    const { rank, size, sleep, now } = this.options;
    this.#fail({ failure: 'failed', ranks: [rank], reason });
    const message = new Float64Array(MESSAGE);
    const room = new Uint8Array(message.buffer, HEADER * Float64Array.BYTES_PER_ELEMENT);
    const { written } = new TextEncoder().encodeInto(reason, room);
    message.set([rank, written]);
    const missing = new Set(Array.from({ length: size }, (_, other) => other).filter((other) => other !== rank));
    for (const to of missing) this.mail.send(message, to, TAG.failed);
    for (const startedAt = now(); missing.size > 0 && now() - startedAt < FAREWELL_MS; sleep(LONGEST_SLEEP_MS)) {
      for (const from of missing) {
        if (this.mail.hasMessage(TAG.understood, from) || this.#isDead(from)) missing.delete(from);
      }
      // Ranks that fail at the same time need not wait for one another.
      while (this.mail.hasMessage(TAG.failed)) {
        this.mail.receive(this.#message, TAG.failed);
        missing.delete(this.#message[0]);
      }
    }
  }

  #checkAlive(missing: ReadonlySet<number>): void {
    // Rank 0 is waited for while it waits for others: a neighbour that is gone is a cause whoever is waited for.
    for (const rank of new Set([...missing, ...this.neighbours.keys()])) {
      if (this.#isDead(rank)) throw this.#fail({ failure: 'died', ranks: [rank], reason: 'its process is gone' });
    }
  }
  #isDead(rank: number): boolean {
    const pid = this.neighbours.get(rank);
    return pid !== undefined && !this.options.isAlive(pid);
  }

  /** The first failure is the one that counts. */
  #fail(failure: Failure): MeetingFailed {
    this.#failed ??= new MeetingFailed(failure);
    return this.#failed;
  }

  #send(header: readonly number[], values: Float64Array, tag: number, to: number): void {
    this.#message.set(header);
    this.#message.set(values, HEADER);
    this.mail.send(this.#message.subarray(0, HEADER + values.length), to, tag);
  }

  #receive(header: readonly number[], tag: number, from: number): Float64Array {
    this.mail.receive(this.#message, tag, from);
    const [meeting, operation, length] = this.#message;
    if (meeting !== header[0] || operation !== header[1] || length !== header[2]) {
      const told = ([at, of, values]: ArrayLike<number> & Iterable<number>) => `${at}, ${OPERATIONS[of]} of ${values}`;
      throw this.#fail({
        failure: 'broken',
        ranks: [from],
        reason: `it is at another operation (${told(this.#message)}, here ${told(header)}); all ranks must run the same command and version`,
      });
    }
    return this.#message.slice(HEADER, HEADER + length);
  }
}

function silent(ranks: readonly number[], waitedMs: number): Failure {
  return { failure: 'silent', ranks, reason: `no answer for ${Math.round(waitedMs / 1000)} s` };
}
