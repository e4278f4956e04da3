/** Metrics for people: each by a name in words, beside what costs nothing. */
import type { Metrics } from '../training/objective.js';

/** What baselines are, by how the names of their metrics begin. */
const BASELINES: Readonly<Record<string, string>> = {
  majority: 'the most frequent label',
  bagOfWords: 'a bag of words',
  wordTag: "each word's most frequent tag",
  slidingWindow: 'a sliding window of words',
  answersNothing: 'answering nothing',
  chance: 'chance',
  overlap: 'most shared words',
};
/** Metrics whose names in code are no words. */
const NAMES: Readonly<Record<string, string>> = {
  matthews: 'Matthews correlation',
  spearman: 'Spearman correlation',
  pearson: 'Pearson correlation',
  allRight: 'all labels right',
  characterF1: 'F1 of characters',
  hasAnswerF1: 'F1 with an answer',
  noAnswerF1: 'F1 without an answer',
  unknownTags: 'words with a tag that the model does not know',
};

const OF_BASELINE = new RegExp(`^(${Object.keys(BASELINES).join('|')})([A-Z].*)$`);

export interface Figure {
  /** As metrics have it. */
  readonly metric: string;
  /** In words. */
  readonly name: string;
  readonly value: number;
  readonly baselines: readonly { readonly name: string; readonly value: number }[];
}

/** The figures of a model in the order of its metrics, the loss last; those of single types, such as `f1/LOC`, are left out. */
export function figuresOf(metrics: Metrics): Figure[] {
  const { loss, ...others } = metrics;
  const known = Object.entries({ ...others, loss }).filter(
    (entry): entry is [string, number] => entry[1] !== undefined,
  );
  const isOfBaseline = ([metric]: readonly [string, number]) => OF_BASELINE.test(metric);
  const baselines = known.filter(isOfBaseline).map(([metric, value]) => {
    const [, baseline, of] = OF_BASELINE.exec(metric)!;
    return { of: of[0].toLowerCase() + of.slice(1), name: BASELINES[baseline], value };
  });
  return known
    .filter((entry) => !isOfBaseline(entry) && !entry[0].includes('/'))
    .map(([metric, value]) => ({
      metric,
      name: metricInWords(metric),
      value,
      baselines: baselines.flatMap(({ of, ...baseline }) => (of === metric ? [baseline] : [])),
    }));
}

/** "macro F1"; the keys of official scripts, which have a _, stay as they are. */
function metricInWords(metric: string): string {
  const known = NAMES[metric];
  if (known !== undefined || metric.includes('_')) return known ?? metric;
  const words = metric.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/\bf1\b/g, 'F1');
}

/** "baseline: chance 0.2500"; nothing where there is none. */
export function baselinesText({ baselines }: Figure): string {
  if (baselines.length === 0) return '';
  const all = baselines.map(({ name, value }) => `${name} ${figureText(value)}`).join(', ');
  return `${baselines.length === 1 ? 'baseline' : 'baselines'}: ${all}`;
}

/** Four decimals of a fraction; whole numbers as they are. */
export function figureText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) > 1 ? String(value) : value.toFixed(4);
}
