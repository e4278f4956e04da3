/** Ways to make a question that its text does not answer, and how many of each the figures of docs/results.md were made with. */
export const WAYS = ['entity', 'number', 'antonym', 'negation', 'elsewhere'] as const;
export type Way = (typeof WAYS)[number];
export type CountsOfWays = Readonly<Record<Way, number>>;

export const UNANSWERABLE = {
  train: ['squad1-train-head.json.gz', 'squad1-train-sample.json.gz', 'squad1-train-val5.json.gz'],
  handwritten: 'squad2-train-part.json.gz',
  heldOut: ['Prime_number', 'Geology', 'Sky_(United_Kingdom)'],
  counts: { entity: 2000, number: 1000, antonym: 900, negation: 500, elsewhere: 1600 },
  answerable: 6000,
  seed: 12345,
} as const;

/**
 * `entity=2000,negation=500`; a way that is not named is not taken.
 * @returns what is wrong, as text, where something is
 */
export function countsOfWays(text: string): CountsOfWays | string {
  const counts: Record<Way, number> = { entity: 0, number: 0, antonym: 0, negation: 0, elsewhere: 0 };
  for (const pair of text.split(',')) {
    const [, way, count] = /^(\w+)=(\d+)$/.exec(pair) ?? [];
    if (!WAYS.includes(way as Way)) return `"${pair}": expected WAY=NUMBER, with a way of ${WAYS.join(', ')}.`;
    counts[way as Way] = Number(count);
  }
  return counts;
}
