/** Curves of runs that the reader began before, kept in the browser, to be laid over the next. */
import { keeping } from '../../backend/keeping.js';
import type { Curves } from './curves.js';

export interface PastRun {
  /** When it began: also its key. ISO 8601. */
  readonly startedAt: string;
  readonly curves: Curves;
}

const MOST = 8;
const kept = () => keeping<PastRun>('pleiad-curves');

/** The newest first. */
export async function pastRuns(): Promise<PastRun[]> {
  const all = await kept()
    .all()
    .catch(() => []);
  return all.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

export async function keepPastRun(run: PastRun): Promise<PastRun[]> {
  const table = kept();
  // Curves of held-out text are all that is drawn of it.
  await table.put(run.startedAt, { ...run, curves: { ...run.curves, steps: [] } }).catch(() => {});
  const all = await pastRuns();
  for (const { startedAt } of all.slice(MOST)) await table.remove(startedAt).catch(() => {});
  return all.slice(0, MOST);
}
