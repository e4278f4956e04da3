/** Small things that ranks settle among themselves, built from the operations of a collective. */
import { type Collective, describeMember, PeerError } from './collective.js';

/** Sums over all ranks, one for each of a few numbers. */
export async function sumOverRanks(collective: Collective, values: readonly number[]): Promise<number[]> {
  const sums = Float64Array.from(values);
  await collective.allReduce(sums);
  return [...sums];
}

/** Whether any rank says so. */
export async function anyRank(collective: Collective, flag: boolean): Promise<boolean> {
  const [count] = await sumOverRanks(collective, [flag ? 1 : 0]);
  return count > 0;
}

/** Rank 0's value on every rank, as it comes out of JSON; what the others pass is not looked at. */
export async function fromFirst<T>(collective: Collective, value: T): Promise<T> {
  if (collective.size === 1) return value;
  const bytes = new TextEncoder().encode(JSON.stringify({ value }));
  const length = Float64Array.of(bytes.length);
  await collective.broadcast(length);
  // Numbers are what a collective carries; float32 holds every byte exactly.
  const numbers = collective.rank === 0 ? Float32Array.from(bytes) : new Float32Array(length[0]);
  await collective.broadcast(numbers);
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(numbers))).value;
}

/** A text of each rank, in the order of ranks, on every rank. */
export async function gatherTexts(collective: Collective, text: string): Promise<string[]> {
  const { rank, size } = collective;
  const bytes = new TextEncoder().encode(text);
  // Each rank writes where the others have zeros; the sum is all of them side by side.
  const lengths = new Float64Array(size);
  lengths[rank] = bytes.length;
  await collective.allReduce(lengths);
  const starts = [...lengths].map((_, of) => lengths.subarray(0, of).reduce((sum, length) => sum + length, 0));
  const numbers = new Float32Array(starts[size - 1] + lengths[size - 1]);
  numbers.set(bytes, starts[rank]);
  await collective.allReduce(numbers);
  const whole = Uint8Array.from(numbers);
  return starts.map((start, of) => new TextDecoder().decode(whole.subarray(start, start + lengths[of])));
}

/**
 * Does work on every rank of which all must succeed, such as opening files. Where it fails on one, it fails on all, and
 * all know it: nobody is left waiting.
 * @throws what failed on this rank; elsewhere a PeerError with the reason of the first rank that failed
 */
export async function together<T>(collective: Collective, work: () => T | Promise<T>): Promise<T> {
  if (collective.size === 1) return work();
  let result: { value: T } | { error: unknown };
  try {
    result = { value: await work() };
  } catch (error) {
    if (error instanceof PeerError) throw error; // there is nobody left to tell
    result = { error };
  }
  const ownReason = 'error' in result ? messageOf(result.error) : '';
  const reasons = await gatherTexts(collective, ownReason);
  if ('error' in result) {
    if (result.error instanceof Error) knownToAll.add(result.error);
    throw result.error;
  }
  const failed = reasons.findIndex((reason) => reason !== '');
  if (failed >= 0) throw peerFailed(collective, failed, reasons[failed]);
  return result.value;
}

/** Errors of this rank that the others have heard of. */
const knownToAll = new WeakSet<Error>();

/** Tells the other ranks of an error that ends the work of this one, unless they know. */
export async function failOnAll(collective: Collective, error: unknown): Promise<void> {
  if (error instanceof PeerError || (error instanceof Error && knownToAll.has(error))) return;
  await collective.fail(messageOf(error));
}

/** What a rank learns when another says that it cannot go on. */
export function peerFailed({ members }: Pick<Collective, 'members'>, rank: number, reason: string): PeerError {
  return new PeerError(`${describeMember(members[rank])} failed: ${reason}`, {
    failure: 'failed',
    members: [members[rank]],
  });
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)) || 'unknown error';
}
