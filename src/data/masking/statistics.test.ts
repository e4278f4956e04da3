import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../random/philox.js';
import type { MaskingScheme } from './scheme.js';
import { spanMasking } from './span.js';
import { MaskCounter, type MaskStatistics } from './statistics.js';
import { randomBlock } from './testBlocks.js';
import { uniformSpanMasking } from './uniformSpan.js';
import { wholeWordMasking } from './wholeWord.js';

/** Mean and standard deviation over the blocks of a simulation. */
type Figure = readonly [mean: number, deviation: number];
interface Simulated {
  readonly law: string;
  readonly n: number;
  readonly continuation: number;
  readonly blocks: number;
  readonly spans: Figure;
  readonly words: Figure;
  readonly bounded: Figure;
  readonly long: Figure;
  readonly accepted: Figure;
  readonly rejected: Figure;
  /** Only where it is not always the budget. */
  readonly masked?: Figure;
}

/** Made by make_masking_statistics.py, which follows the same rules in another language with another generator. */
const SIMULATED: readonly Simulated[] = JSON.parse(
  readFileSync(new URL('../../../test/golden/masking-statistics.json', import.meta.url), 'utf8'),
);

const SCHEMES: Readonly<Record<string, MaskingScheme>> = {
  span: spanMasking(),
  'span, paper anchor': spanMasking({ anchor: 'paper' }),
  'span, paper lengths': spanMasking({ lengthLaw: 'paper' }),
  'uniform-span': uniformSpanMasking(),
  'whole-word': wholeWordMasking(),
};
const BLOCKS = 1500;

function simulate(scheme: MaskingScheme, n: number, continuation: number, blocks = BLOCKS): MaskStatistics {
  const counter = new MaskCounter();
  for (let i = 0; i < blocks; i++) {
    const block = randomBlock(n, continuation, i);
    counter.add(block, scheme.mask(block, new RandomStream(11, 'masking', 0, i)));
  }
  return counter.result();
}

describe('the statistics of a scheme', () => {
  it.each(SIMULATED)(
    'are those of a second implementation: $law, $n pieces, $continuation continue a word',
    (golden) => {
      const found = simulate(SCHEMES[golden.law], golden.n, golden.continuation);
      const { spansPerBlock, mergesPerBlock } = found;
      const accepted = spansPerBlock + mergesPerBlock;
      const budget = Math.ceil(0.15 * golden.n);
      const masked = found.maskedFraction * golden.n;
      const perBlock = {
        spans: spansPerBlock,
        words: found.wordsPerSpan * spansPerBlock,
        bounded: found.sboShare * masked,
        long: found.longSpans * spansPerBlock,
        accepted,
        rejected: found.rejectsPerSpan * accepted,
        ...(golden.masked && { masked }),
      };
      // Exactly the budget, in every block, but where no word is cut for it.
      if (!golden.masked) expect(masked).toBeCloseTo(budget, 10);
      expect(masked).toBeLessThanOrEqual(budget + 1e-9);
      expect(found.piecesPerSpan * spansPerBlock).toBeCloseTo(masked, 10);
      for (const [name, value] of Object.entries(perBlock)) {
        const [mean, deviation] = golden[name as keyof typeof perBlock]!;
        // Standard error of the difference of two means; 4.5 of them are passed by chance once in 150,000 comparisons.
        const error = deviation * Math.sqrt(1 / BLOCKS + 1 / golden.blocks);
        expect(Math.abs(value - mean), `${name}: ${value}, expected ${mean}`).toBeLessThanOrEqual(4.5 * error + 1e-9);
      }
    },
  );

  /**
   * An earlier, light simulation of the released code's rules. How many blocks it had is not recorded; its figures differ
   * from both implementations here as those of about 300 blocks would, so that is what the tolerance allows for.
   */
  const TABLE_BLOCKS = 300;
  it.each([
    {
      n: 510,
      continuation: 0.22,
      spans: 14.56,
      pieces: 5.29,
      words: 3.9,
      long: 0.016,
      sbo: 0.979,
      rejects: 0.082,
      merges: 1.42,
    },
    { n: 510, continuation: 0, spans: 19.39, pieces: 3.97, words: 3.97, long: 0.0033, sbo: 0.9895 },
    { n: 128, continuation: 0.22, spans: 4.34, pieces: 4.6, sbo: 0.958 },
    { n: 64, continuation: 0.22, spans: 2.49, sbo: 0.931 },
  ])('are those of the acceptance table: $n pieces, $continuation continue a word', (table) => {
    const found = simulate(SCHEMES.span, table.n, table.continuation);
    const golden = SIMULATED.find(
      ({ law, n, continuation }) => law === 'span' && n === table.n && continuation === table.continuation,
    )!;
    const error = (deviation: number) => deviation * Math.sqrt(1 / BLOCKS + 1 / TABLE_BLOCKS);
    const masked = Math.ceil(0.15 * table.n);
    const near = (name: string, value: number, expected: number | undefined, standardError: number) => {
      if (expected === undefined) return;
      expect(Math.abs(value - expected), `${name}: ${value}, expected ${expected}`).toBeLessThan(3 * standardError);
    };
    const [spans, spansDeviation] = golden.spans;
    near('spans', found.spansPerBlock, table.spans, error(spansDeviation));
    // d(masked / spans) = masked / spans² · d(spans)
    near('pieces', found.piecesPerSpan, table.pieces, (masked / spans ** 2) * error(spansDeviation));
    near('words', found.wordsPerSpan, table.words, (masked / spans ** 2) * error(spansDeviation));
    near('long spans', found.longSpans, table.long, error(golden.long[1]) / spans);
    near('SBO share', found.sboShare, table.sbo, error(golden.bounded[1]) / masked);
    near('rejects', found.rejectsPerSpan, table.rejects, error(golden.rejected[1]) / golden.accepted[0]);
    near('merges', found.mergesPerBlock, table.merges, error(Math.sqrt(golden.accepted[0] - spans)));
  });

  it('are 80/10/10 by spans', () => {
    const { actions } = simulate(spanMasking(), 128, 0.22);
    // About 6500 spans of unequal length: a share of 0.1 has a standard deviation of about 0.005.
    expect(Math.abs(actions.mask - 0.8)).toBeLessThan(0.03);
    expect(Math.abs(actions.random - 0.1)).toBeLessThan(0.022);
    expect(Math.abs(actions.keep - 0.1)).toBeLessThan(0.022);
  });

  it('are 0 where there is nothing', () => {
    expect(new MaskCounter().result()).toEqual({
      blocks: 0,
      tokens: 0,
      maskedFraction: 0,
      spansPerBlock: 0,
      piecesPerSpan: 0,
      wordsPerSpan: 0,
      longSpans: 0,
      sboShare: 0,
      rejectsPerSpan: 0,
      mergesPerBlock: 0,
      actions: { mask: 0, random: 0, keep: 0 },
    });
  });
});
