/** The official scores of SemEval-2010 task 8: nine relations, the direction counted, Other left out. */

export interface RelationScores {
  /** The mean of the F1 of the relations that the data have. */
  readonly macroF1: number;
  readonly macroPrecision: number;
  readonly macroRecall: number;
  /** F1 of the decisions of all relations together. */
  readonly microF1: number;
  /** Share of equal labels, those of no relation included. */
  readonly accuracy: number;
}

/** What stands for no relation in data sets of the field, TACRED's among them. */
const NONE = /^(_?other|no_relation|none|na|)$/i;
const DIRECTION = /\((e[12]),(e[12])\)$/;

/** The relation of a label without its direction; undefined for none. */
function relationOf(label: string): string | undefined {
  return NONE.test(label) ? undefined : label.replace(DIRECTION, '');
}

/**
 * Precision of a relation is over all that were taken for it in either direction, and right is a label that is the very
 * same, direction included. A relation counts in the means when the data have it.
 * @param predicted  labels, undefined for what was left out
 */
export function relationScores(
  predicted: readonly (string | undefined)[],
  expected: readonly string[],
): RelationScores {
  const counts = new Map<string, { right: number; found: number; wanted: number }>();
  for (const label of expected) {
    const relation = relationOf(label);
    if (relation === undefined) continue;
    const count = counts.get(relation) ?? { right: 0, found: 0, wanted: 0 };
    counts.set(relation, { ...count, wanted: count.wanted + 1 });
  }
  let equal = 0;
  for (const [i, label] of expected.entries()) {
    const said = predicted[i];
    if (said === undefined) continue;
    if (said === label) equal++;
    const count = counts.get(relationOf(said) ?? '');
    if (!count) continue;
    count.found++;
    if (said === label) count.right++;
  }
  const each = [...counts.values()].map(({ right, found, wanted }) => scoresOf(right, found, wanted));
  const mean = (of: (scores: (typeof each)[number]) => number) =>
    each.length === 0 ? 0 : each.reduce((sum, scores) => sum + of(scores), 0) / each.length;
  const sum = (of: 'right' | 'found' | 'wanted') => [...counts.values()].reduce((total, count) => total + count[of], 0);
  return {
    macroF1: mean(({ f1 }) => f1),
    macroPrecision: mean(({ precision }) => precision),
    macroRecall: mean(({ recall }) => recall),
    microF1: scoresOf(sum('right'), sum('found'), sum('wanted')).f1,
    accuracy: equal / expected.length,
  };
}

function scoresOf(right: number, found: number, wanted: number) {
  return {
    precision: found === 0 ? 0 : right / found,
    recall: wanted === 0 ? 0 : right / wanted,
    f1: right === 0 ? 0 : (2 * right) / (found + wanted),
  };
}
