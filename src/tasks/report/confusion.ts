/** Which classes are taken for which: counted in one place for all tasks. */
import type { ClassesSection, ClassKind, ClassScores, ConfusedPair, ConfusionSection } from './report.js';

/** A class by its index; undefined where there is nothing: a span that was missed, or one that was made up. */
export interface WantedGot {
  readonly wanted?: number;
  readonly got?: number;
}

/** Confusions that are named. */
const NAMED = 10;

/** Counts pairs, and names those that differ most often. */
export function confusionOf(of: ClassKind, labels: readonly string[], pairs: Iterable<WantedGot>): ConfusionSection {
  const nothing = labels.length;
  const all = Array.from({ length: nothing + 1 }, () => new Array<number>(nothing + 1).fill(0));
  let hasNothing = false;
  for (const { wanted = nothing, got = nothing } of pairs) {
    hasNothing ||= wanted === nothing || got === nothing;
    all[wanted][got]++;
  }
  const counts = hasNothing ? all : all.slice(0, nothing).map((row) => row.slice(0, nothing));
  return { kind: 'confusion', of, labels, counts, hasNothing, largest: largestOf(labels, counts) };
}

function largestOf(labels: readonly string[], counts: readonly (readonly number[])[]): ConfusedPair[] {
  const name = (key: 'wanted' | 'got', index: number) => (index < labels.length ? { [key]: labels[index] } : {});
  return counts
    .flatMap((row, wanted) =>
      row.flatMap((count, got) =>
        wanted === got || count === 0 ? [] : [{ ...name('wanted', wanted), ...name('got', got), count }],
      ),
    )
    .sort((a, b) => b.count - a.count)
    .slice(0, NAMED);
}

/** Precision, recall and F1 of each class that the data or the predictions have. */
export function classScores({ of, labels, counts }: ConfusionSection): ClassesSection {
  const classes = labels.map((name, k): ClassScores => {
    const rows = counts[k].reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, row) => sum + row[k], 0);
    const right = counts[k][k];
    const precision = predicted === 0 ? 0 : right / predicted;
    const recall = rows === 0 ? 0 : right / rows;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { name, precision, recall, f1, rows, predicted };
  });
  return { kind: 'classes', of, classes: classes.filter(({ rows, predicted }) => rows + predicted > 0) };
}
