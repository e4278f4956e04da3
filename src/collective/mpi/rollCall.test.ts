import { describe, expect, it } from 'vitest';
import type { Failure, Operation } from './mpiProtocol.js';
import { type Mail, MeetingFailed, MOST_VALUES, RollCall } from './rollCall.js';

interface Message {
  readonly from: number;
  readonly tag: number;
  readonly values: Float64Array;
}

/** Letter boxes of ranks in one thread, and a clock that runs only while somebody sleeps. */
class Office {
  ms = 0;
  readonly boxes: Message[][];
  readonly dead = new Set<number>();
  readonly missing = new Set<string>();
  /** What happens at a time. */
  readonly #planned: { at: number; act(): void }[] = [];

  constructor(readonly size: number) {
    this.boxes = Array.from({ length: size }, () => []);
  }

  at(ms: number, act: () => void): void {
    this.#planned.push({ at: ms, act });
  }

  rank(rank: number, timeoutMs = 60_000): RollCall {
    const find = (tag: number, from?: number) =>
      this.boxes[rank].findIndex((message) => message.tag === tag && (from === undefined || message.from === from));
    const mail: Mail = {
      send: (values, to, tag) => this.boxes[to].push({ from: rank, tag, values: values.slice() }),
      hasMessage: (tag, from) => find(tag, from) >= 0,
      receive: (into, tag, from) => {
        const [message] = this.boxes[rank].splice(find(tag, from), 1);
        into.set(message.values);
      },
    };
    const rollCall = new RollCall(mail, {
      rank,
      size: this.size,
      timeoutMs,
      setMissing: (of, missing) => {
        if (missing) this.missing.add(`${rank}: ${of}`);
        else this.missing.delete(`${rank}: ${of}`);
      },
      sleep: (ms) => this.#pass(ms),
      now: () => {
        this.#pass(0.01); // or a rank that spins would spin for ever
        return this.ms;
      },
      isAlive: (pid) => !this.dead.has(pid),
    });
    // Process ids are ranks + 100.
    rollCall.neighbours = new Map(this.boxes.map((_, of) => [of, 100 + of] as const).filter(([of]) => of !== rank));
    return rollCall;
  }

  #pass(ms: number): void {
    this.ms += ms;
    for (const plan of this.#planned.filter(({ at }) => at <= this.ms)) {
      this.#planned.splice(this.#planned.indexOf(plan), 1);
      plan.act();
    }
  }
}

/** What a rank that comes to a meeting sends, and where it then waits is not followed. */
function come(office: Office, rank: number, values: number[], { meeting = 0, operation = 0 } = {}): void {
  const message = Float64Array.of(meeting, operation, values.length, ...values);
  office.boxes[0].push({ from: rank, tag: 1, values: message });
}

function failureOf(act: () => void): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof MeetingFailed) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}

function meet(rollCall: RollCall, operation: Operation, ...values: number[]): number[] {
  const numbers = Float64Array.from(values);
  rollCall.meet(operation, numbers);
  return [...numbers];
}

describe('ranks that meet', () => {
  it('add up their numbers in the order of ranks, whoever comes first', () => {
    const office = new Office(3);
    // 1 + 2⁻⁵³ rounds to 1; the small ones first would make 1 + 2⁻⁵².
    come(office, 2, [2 ** -53, 5]);
    office.at(20, () => come(office, 1, [2 ** -53, 7]));
    expect(meet(office.rank(0), 'allReduce', 1, 0)).toEqual([1, 12]);
    for (const rank of [1, 2]) {
      const [{ tag, values }] = office.boxes[rank];
      expect([tag, ...values]).toEqual([2, 0, 0, 2, 1, 12]);
    }
    expect(office.missing.size).toBe(0);
  });

  it('take over what rank 0 brings to a broadcast', () => {
    const office = new Office(2);
    const follower = office.rank(1);
    office.boxes[1].push({ from: 0, tag: 2, values: Float64Array.of(0, 1, 2, 8, 9) });
    expect(meet(follower, 'broadcast', 0, 0)).toEqual([8, 9]);
  });

  it('carry as many numbers as a short message holds', () => {
    const office = new Office(2);
    come(office, 1, new Array(MOST_VALUES).fill(1));
    expect(meet(office.rank(0), 'allReduce', ...new Array(MOST_VALUES).fill(1))).toEqual(
      new Array(MOST_VALUES).fill(2),
    );
  });

  it('sleep while they wait, and can be asked for whom', () => {
    const office = new Office(3);
    come(office, 1, []);
    const waited: string[][] = [];
    office.at(100, () => waited.push([...office.missing]));
    office.at(5000, () => come(office, 2, []));
    meet(office.rank(0), 'allReduce');
    expect(waited).toEqual([['0: 2']]);
    expect(office.missing.size).toBe(0);
    expect(office.ms).toBeLessThan(5002);
  });
});

describe('a meeting fails', () => {
  it('when a rank does not come in time: rank 0 names it', () => {
    const office = new Office(3);
    come(office, 1, [], { operation: 2 });
    const silent = failureOf(() => office.rank(0, 30_000).meet('barrier', new Float64Array(0)));
    expect(silent).toEqual({ failure: 'silent', ranks: [2], reason: 'no answer for 30 s' });
  });

  it('for the others later than for rank 0, which knows more', () => {
    const office = new Office(2);
    const failure = failureOf(() => office.rank(1, 30_000).meet('barrier', new Float64Array(0)));
    expect(failure).toEqual({ failure: 'silent', ranks: [0], reason: 'no answer for 40 s' });
  });

  it('at once when the process of a neighbour is gone', () => {
    const office = new Office(2);
    office.at(1000, () => office.dead.add(101));
    const failure = failureOf(() => office.rank(0).meet('barrier', new Float64Array(0)));
    expect(failure).toEqual({ failure: 'died', ranks: [1], reason: 'its process is gone' });
    expect(office.ms).toBeLessThan(1300);
  });

  it('when a rank says that it cannot go on, and it is told that this was heard', () => {
    const office = new Office(3);
    const leader = office.rank(0);
    const failing = office.rank(2);
    office.at(50, () => {
      const other = office.rank(1);
      office.at(80, () => other.hearFailures());
      failing.fail('kein Platz mehr: größer als 1 GB');
    });
    // Rank 2 waits for rank 0, which is in the meeting below it on the stack: it leaves after its patience.
    const failure = failureOf(() => leader.meet('barrier', new Float64Array(0)));
    expect(failure).toEqual({ failure: 'failed', ranks: [2], reason: 'kein Platz mehr: größer als 1 GB' });
    expect(office.boxes[2].filter(({ tag }) => tag === 4).map(({ from }) => from)).toContain(0);
    // And so does all that comes after.
    expect(failureOf(() => leader.meet('allReduce', new Float64Array(1))).ranks).toEqual([2]);
  });

  it('to be left at once by a rank whose failure all have heard of', () => {
    const office = new Office(3);
    const failing = office.rank(1);
    for (const rank of [0, 2]) {
      const other = office.rank(rank);
      office.at(100 * (rank + 1), () => other.hearFailures());
    }
    failing.fail('reason');
    expect(office.ms).toBeGreaterThan(300);
    expect(office.ms).toBeLessThan(310);
  });

  it('when ranks disagree on what comes next', () => {
    const office = new Office(2);
    come(office, 1, [1, 2, 3], { meeting: 0, operation: 1 });
    const failure = failureOf(() => office.rank(0).meet('allReduce', new Float64Array(3)));
    expect(failure.failure).toBe('broken');
    expect(failure.reason).toContain('(0, broadcast of 3, here 0, allReduce of 3)');
  });
});
