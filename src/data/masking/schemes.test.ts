import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../errors/errors.js';
import { RandomStream } from '../../random/philox.js';
import { createBatchSource } from '../batches.js';
import { memoryShards } from '../shards.js';
import { SPECIAL_IDS, VOCAB_SIZE } from '../testCorpus.js';
import { createMasking, MASKING_NAMES, type MaskingName, type MaskingSettings } from './createMasking.js';
import { geometricLengths, uniformLengths } from './lengths.js';
import { maskBatch } from './maskBatch.js';
import { mixedMasking } from './mixture.js';
import { randomMasking } from './random.js';
import { candidatePositions, MASK_ACTIONS, type MaskedBlock, type MaskingBlock } from './scheme.js';
import { spanMasking } from './span.js';
import { mergedSpans } from './spans.js';
import { taggedMasking } from './tagged.js';
import { blockOf, FIRST_ID, randomBlock } from './testBlocks.js';
import { unigramTokens } from './tokenDraw.js';
import { uniformSpanMasking } from './uniformSpan.js';
import { wholeWordMasking } from './wholeWord.js';

const { clsId, sepId, maskId, padId } = SPECIAL_IDS;

const DEFAULTS: MaskingSettings = {
  masking: ['span'],
  maskProb: 0.15,
  maskBudget: 'spanbert',
  maskKeepProb: 0.1,
  maskRandomProb: 0.1,
  randomTokens: 'uniform',
  replacementUnit: 'span',
  duplicates: 'corrected',
  geometricP: 0.2,
  maxSpanLength: 10,
  lengthLaw: 'reference',
  spanAnchor: 'reference',
  tagProb: 0.5,
  tagFallback: 'reference',
};
const scheme = (settings: Partial<MaskingSettings>) => createMasking({ ...DEFAULTS, ...settings }, () => [1]);
const stream = (index: number, seed = 1) => new RandomStream(seed, 'masking', 0, index);

/** What the model sees. */
function shown(block: MaskingBlock, { positions, actions, replacements }: MaskedBlock): Int32Array {
  const ids = block.ids.slice();
  positions.forEach((position, slot) => {
    if (actions[slot] === MASK_ACTIONS.mask) ids[position] = maskId;
    if (actions[slot] === MASK_ACTIONS.random) ids[position] = replacements![slot];
  });
  return ids;
}

/** Words, segments, tags and settings of every kind, down to nothing and up to everything masked. */
const anyCase = fc.record({
  segments: fc.array(fc.array(fc.constantFrom(0, 1), { maxLength: 40 }), { minLength: 1, maxLength: 2 }),
  padding: fc.nat(10),
  tagBytes: fc.array(fc.nat(15), { minLength: 84, maxLength: 84 }),
  masking: fc.uniqueArray(fc.constantFrom(...MASKING_NAMES), { minLength: 1 }),
  maskProb: fc.oneof(fc.constantFrom(1, 0.99, 0.15), fc.double({ min: 0.01, max: 1, noNaN: true })),
  replacementUnit: fc.constantFrom('span' as const, 'piece' as const),
  geometricP: fc.constantFrom(0.01, 0.2, 1),
  maxSpanLength: fc.integer({ min: 1, max: 12 }),
  lengthLaw: fc.constantFrom('reference' as const, 'paper' as const),
  spanAnchor: fc.constantFrom('reference' as const, 'paper' as const),
  tagProb: fc.constantFrom(0, 0.5, 1),
  tagFallback: fc.constantFrom('reference' as const, 'paper' as const),
  index: fc.nat(1000),
});

/** Schemes that leave out a word rather than cut it, and so may mask a little less than the budget. */
function keepsWhole({ masking, tagFallback }: Pick<MaskingSettings, 'masking' | 'tagFallback'>): boolean {
  return masking.some((name) => name === 'whole-word' || (isTagged(name) && tagFallback === 'paper'));
}
const isTagged = (name: MaskingName) => name === 'entity' || name === 'phrase';

describe('every scheme, on every block', () => {
  const isSpecial = (id: number) => id === clsId || id === sepId || id === padId || id === maskId;

  it('masks the budget, exactly but for whole words, no special token, no boundary, and keeps what it hides', () => {
    fc.assert(
      fc.property(anyCase, ({ segments, padding, tagBytes, index, ...settings }) => {
        const empty = blockOf(segments, padding);
        const block = { ...empty, tags: Uint8Array.from(empty.ids, (id, i) => (isSpecial(id) ? 0 : tagBytes[i])) };
        const made = scheme(settings);
        const masked = made.mask(block, stream(index));
        const { positions, actions } = masked;
        const candidates = candidatePositions(block);

        // The least whole number that is at least maskProb of the text.
        const share = settings.maskProb * candidates.length;
        if (!keepsWhole(settings)) expect(positions.length).toBeGreaterThanOrEqual(share - 1e-6);
        expect(positions.length).toBeLessThan(share + 1);
        expect(positions.length).toBeLessThanOrEqual(made.maxSlots(block.blockLength));
        expect([...positions]).toEqual([...new Set(positions)].sort((a, b) => a - b));
        for (const position of positions) expect(isSpecial(block.ids[position])).toBe(false);

        const spans = mergedSpans(positions);
        const isMasked = new Set(positions);
        for (let i = 0; i < spans.length; i += 2) {
          expect(isMasked.has(spans[i] - 1)).toBe(false);
          expect(isMasked.has(spans[i + 1] + 1)).toBe(false);
          for (let position = spans[i]; position <= spans[i + 1]; position++) {
            expect(isMasked.has(position)).toBe(true);
            expect(block.ids[position]).not.toBe(sepId);
          }
        }

        // The targets are the original tokens at the positions; put back, they give the block.
        const input = shown(block, masked);
        positions.forEach((position) => (input[position] = block.ids[position]));
        expect(input).toEqual(block.ids);
        expect(actions.length).toBe(positions.length);
      }),
      { numRuns: 600 },
    );
  });

  it('masks words whole where it says so, and leaves none out that would have fitted', () => {
    fc.assert(
      fc.property(anyCase, fc.boolean(), ({ segments, padding, tagBytes, index, ...any }, isTag) => {
        const settings = { ...any, masking: [isTag ? 'entity' : 'whole-word'] as const, tagFallback: 'paper' as const };
        const empty = blockOf(segments, padding);
        const words = wordsOf(empty);
        // Entities that are whole words, one or several neighbours of one segment.
        const tags = new Uint8Array(empty.ids.length);
        for (const [i, word] of words.entries()) {
          if (tagBytes[i] & 1) tags.set([tagBytes[i] & 2 && words[i - 1]?.at(-1) === word[0] - 1 ? 2 : 3], word[0]);
          if (tags[word[0]]) tags.fill(2, word[0] + 1, word.at(-1)! + 1);
        }
        const { positions } = scheme(settings).mask(isTag ? { ...empty, tags } : empty, stream(index));
        const isMasked = new Set(positions);
        const pieces = words.map((word) => word.filter((position) => isMasked.has(position)).length);
        words.forEach((word, i) => expect([0, word.length]).toContain(pieces[i]));
        const room = Math.ceil(settings.maskProb * words.flat().length - 1e-9) - positions.length;
        expect(room).toBeGreaterThanOrEqual(0);
        words.forEach((word, i) => pieces[i] === 0 && room > 0 && expect(word.length).toBeGreaterThan(room));
      }),
      { numRuns: 600 },
    );
  });

  /** Positions of each word: the first token after a special one begins one too. */
  function wordsOf({ ids, n, wordStarts }: MaskingBlock): number[][] {
    const words: number[][] = [];
    for (let position = 1; position < n; position++) {
      if (isSpecial(ids[position])) continue;
      if (wordStarts[position] || isSpecial(ids[position - 1])) words.push([]);
      words.at(-1)!.push(position);
    }
    return words;
  }

  it('is the same whenever the stream is the same', () => {
    fc.assert(
      fc.property(anyCase, ({ segments, padding, tagBytes: _, index, ...settings }) => {
        const block = blockOf(segments, padding);
        expect(scheme(settings).mask(block, stream(index))).toEqual(scheme(settings).mask(block, stream(index)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('degenerate blocks', () => {
  const spanSchemes: MaskingName[] = MASKING_NAMES.filter((name) => name !== 'random');
  const word = (length: number) => Array.from({ length }, (_, i) => (i === 0 ? 1 : 0));

  it.each(spanSchemes)('%s masks nothing of nothing and the one token of one', (name) => {
    const made = scheme({ masking: [name] });
    expect(made.mask(blockOf([[]]), stream(0)).positions).toEqual(new Int32Array(0));
    expect(made.mask(blockOf([[]], 6), stream(0)).positions).toEqual(new Int32Array(0));
    expect(made.mask(blockOf([[1]], 5), stream(0)).positions).toEqual(Int32Array.of(1));
    expect(made.mask(blockOf([[], [1]], 5), stream(0)).positions).toEqual(Int32Array.of(2));
  });

  it.each(spanSchemes)('%s masks one of two tokens', (name) => {
    for (const starts of [
      [1, 1],
      [1, 0],
    ]) {
      const counts = [0, 0];
      // A word of two pieces does not fit in a budget of one.
      if (name === 'whole-word' && starts[1] === 0) {
        expect(scheme({ masking: [name] }).mask(blockOf([starts]), stream(0)).positions).toEqual(new Int32Array(0));
        continue;
      }
      for (let i = 0; i < 200; i++) {
        const { positions } = scheme({ masking: [name] }).mask(blockOf([starts]), stream(i));
        expect(positions.length).toBe(1);
        counts[positions[0] - 1]++;
      }
      // A word of two pieces is entered at its first; of two words each is as likely: standard deviation 7.
      if (starts[1] === 0) expect(counts).toEqual([200, 0]);
      else expect(Math.abs(counts[0] - 100)).toBeLessThan(35);
    }
  });

  it.each(spanSchemes)('%s cuts one long word at the budget, or leaves it out where words stay whole', (name) => {
    const masked = (settings: Partial<MaskingSettings>) => [
      ...scheme({ masking: [name], ...settings }).mask(blockOf([word(40)]), stream(3)).positions,
    ];
    expect(masked({})).toEqual(name === 'whole-word' ? [] : [1, 2, 3, 4, 5, 6]);
    expect(masked({ tagFallback: 'paper' })).toEqual(name === 'whole-word' || isTagged(name) ? [] : [1, 2, 3, 4, 5, 6]);
  });

  it.each(spanSchemes)('%s ends when nearly everything or everything is to be masked', (name) => {
    for (const [maskProb, left] of [
      [0.997, 1],
      [1, 0],
    ]) {
      const block = randomBlock(510, 0.22, 1);
      const { positions } = scheme({ masking: [name], maskProb }).mask(block, stream(5));
      expect(positions.length).toBe(510 - left);
    }
  });

  it('takes the first token after [CLS] or [SEP] for the beginning of a word, where a block was cut inside one', () => {
    const block = blockOf([
      [0, 0, 1, 0],
      [0, 1],
    ]);
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const made = wholeWordMasking({ maskProb: 0.34, anchor: i % 2 ? 'paper' : 'reference' });
      seen.add(made.mask(block, stream(i)).positions.join(' '));
    }
    // Budget 3 of 6. Words: 1-2, 3-4, 6 and 7.
    expect(seen).toEqual(new Set(['1 2 6', '1 2 7', '3 4 6', '3 4 7', '6 7']));
  });
});

describe('span lengths', () => {
  // spanbert-qa.md: P for p = 0.2, truncated at 10 and renormalised.
  it('follow the renormalised geometric law of the paper: mean 3.797', () => {
    const { probabilities } = geometricLengths(0.2, 10);
    const expected = [0.22406, 0.17925, 0.1434, 0.11472, 0.09177, 0.07342, 0.05874, 0.04699, 0.03759, 0.03007];
    probabilities.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
    expect(meanLength(probabilities)).toBeCloseTo(3.797, 3);
  });

  it('have the mean 4.463 where they are clipped instead', () => {
    expect(meanLength(geometricLengths(0.2, 10, 'paper').probabilities)).toBeCloseTo(4.463, 3);
  });

  it('are all equally frequent in the uniform law', () => {
    expect([...uniformLengths(4).probabilities]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it.each([
    ['geometric', geometricLengths(0.2, 10)],
    ['clipped', geometricLengths(0.4, 3, 'paper')],
    ['uniform', uniformLengths(7)],
    ['of one word', geometricLengths(1, 10)],
  ])('are drawn as their law says: %s', (_name, { probabilities, draw }) => {
    const counts = new Float64Array(probabilities.length);
    const random = stream(0);
    const draws = 20_000;
    for (let i = 0; i < draws; i++) counts[draw(random) - 1]++;
    counts.forEach((count, i) => {
      const p = probabilities[i];
      expect(Math.abs(count / draws - p)).toBeLessThanOrEqual(4.5 * Math.sqrt((p * (1 - p)) / draws));
    });
  });

  function meanLength(probabilities: Float64Array): number {
    return probabilities.reduce((sum, p, i) => sum + p * (i + 1), 0);
  }
});

describe('the anchor', () => {
  /** How often, of two words of one piece and of four, the longer one is drawn first and takes the whole budget of 4. */
  function hits(anchor: 'reference' | 'paper'): number {
    const block = blockOf([[1, 1, 0, 0, 0]]);
    let long = 0;
    for (let i = 0; i < 4000; i++) {
      const { positions } = wholeWordMasking({ maskProb: 0.8, anchor }).mask(block, stream(i));
      expect(['1', '2 3 4 5']).toContain(positions.join(' '));
      long += positions[0] === 2 ? 1 : 0;
    }
    return long / 4000;
  }

  // Standard deviation 0.008.
  it('is a piece in the reference, so that a word of four pieces is hit four times as often', () => {
    expect(Math.abs(hits('reference') - 0.8)).toBeLessThan(0.035);
  });

  it('is a word in the paper', () => {
    expect(Math.abs(hits('paper') - 0.5)).toBeLessThan(0.035);
  });
});

describe('what is shown', () => {
  const block = randomBlock(128, 0.22, 4);

  it('is decided once for a merged span, or for each piece', () => {
    const mixed = (replacementUnit: 'span' | 'piece') => {
      let spansWithSeveral = 0;
      for (let i = 0; i < 200; i++) {
        const { positions, actions } = spanMasking({ replacementUnit }).mask(block, stream(i));
        const actionAt = new Map([...positions].map((position, slot) => [position, actions[slot]]));
        const spans = mergedSpans(positions);
        for (let s = 0; s < spans.length; s += 2) {
          const kinds = new Set<number | undefined>();
          for (let position = spans[s]; position <= spans[s + 1]; position++) kinds.add(actionAt.get(position));
          if (kinds.size > 1) spansWithSeveral++;
        }
      }
      return spansWithSeveral;
    };
    expect(mixed('span')).toBe(0);
    expect(mixed('piece')).toBeGreaterThan(200);
  });

  it('is drawn from the corpus, as often as a token stands there', () => {
    const counts = new Float64Array(VOCAB_SIZE);
    counts[7] = 6e9; // more than 32 bits
    counts[20] = 3e9;
    counts[99_999] = 1e9;
    const made = spanMasking({ keepProb: 0, randomProb: 1, drawToken: unigramTokens(counts) });
    const drawn: number[] = [];
    for (let i = 0; i < 300; i++) drawn.push(...made.mask(block, stream(i)).replacements!);
    const share = (id: number) => drawn.filter((token) => token === id).length / drawn.length;
    // 6000 tokens: standard deviation 0.006.
    expect(Math.abs(share(7) - 0.6)).toBeLessThan(0.03);
    expect(Math.abs(share(20) - 0.3)).toBeLessThan(0.03);
    expect(Math.abs(share(99_999) - 0.1)).toBeLessThan(0.02);
    expect(new Set(drawn)).toEqual(new Set([7, 20, 99_999]));
  });

  it('is any token without counts', () => {
    const made = spanMasking({ keepProb: 0, randomProb: 1 });
    const drawn = Array.from({ length: 100 }, (_, i) => [...made.mask(block, stream(i)).replacements!]).flat();
    expect(Math.min(...drawn)).toBeLessThan(VOCAB_SIZE * 0.01);
    expect(Math.max(...drawn)).toBeGreaterThan(VOCAB_SIZE * 0.99);
  });

  it('needs some text to be as frequent as in the text', () => {
    expect(() => unigramTokens(new Float64Array(5))).toThrow(/no token counts/);
  });
});

describe('tagged spans', () => {
  // Text tokens 1..20, one word each; an entity at 3..5, another at 6..6, a phrase at 10..13.
  const tags = new Array<number>(22).fill(0);
  tags.splice(3, 4, 3, 2, 2, 3);
  tags.splice(10, 4, 12, 8, 8, 8);
  const block = blockOf([new Array(20).fill(1)], 0, tags);
  const first = (settings: Parameters<typeof taggedMasking>[1], kind: 'entity' | 'phrase', i: number) =>
    mergedSpans(taggedMasking(kind, { maskProb: 0.2, ...settings }).mask(block, stream(i)).positions);

  it('are masked as a whole', () => {
    for (let i = 0; i < 100; i++) {
      // A budget of 4: the only phrase, or both entities, which are neighbours.
      expect([...first({ tagProb: 1 }, 'phrase', i)]).toEqual([10, 13]);
      expect([...first({ tagProb: 1 }, 'entity', i)]).toEqual([3, 6]);
    }
  });

  it('are taken in half of the draws, other spans in the others', () => {
    let taken = 0;
    for (let i = 0; i < 4000; i++) {
      // Budget 1: the first draw decides. The phrase begins at 10; a word is 10 by chance once in 20.
      const { positions } = taggedMasking('phrase', { maskProb: 0.05 }).mask(block, stream(i));
      taken += positions[0] === 10 ? 1 : 0;
    }
    // 0.5 + 0.5 / 20, standard deviation 0.008.
    expect(Math.abs(taken / 4000 - 0.525)).toBeLessThan(0.036);
  });

  it('have whole words beside them in the paper, spans in the released code', () => {
    const lengths = (tagFallback: 'reference' | 'paper') => {
      let draws = 0;
      for (let i = 0; i < 300; i++) {
        const made = taggedMasking('entity', { tagProb: 0, tagFallback, maskProb: 0.5 });
        draws += made.mask(block, stream(i)).draws!.accepted;
      }
      return draws / 300;
    };
    expect(lengths('paper')).toBe(10); // one word a draw
    expect(lengths('reference')).toBeLessThan(6);
  });

  it('fill up with other spans where they do not suffice, and where there are none', () => {
    const masked = taggedMasking('entity', { tagProb: 1, maskProb: 0.6 }).mask(block, stream(1));
    expect(masked.positions.length).toBe(12);
    expect([...masked.positions]).toEqual(expect.arrayContaining([3, 4, 5, 6]));
    const { tags: _, ...untagged } = block;
    expect(taggedMasking('entity').mask(untagged, stream(1)).positions.length).toBe(3);
  });

  it('do not cross a special token', () => {
    // An entity that the division into two segments has cut: its second part goes on without a beginning.
    const pair = blockOf(
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
      0,
      [0, 0, 3, 2, 0, 2, 2, 0, 0],
    );
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const { positions } = taggedMasking('entity', { tagProb: 1, maskProb: 0.3 }).mask(pair, stream(i));
      seen.add([...positions].join(' '));
    }
    expect(seen).toEqual(new Set(['2 3', '5 6']));
  });
});

describe('a mixture', () => {
  it('picks each scheme for an equal part of the blocks', () => {
    const names = ['random', 'whole-word', 'span'] as const;
    const made = mixedMasking(
      names.map((name, i) => ({
        name,
        maxSlots: () => i,
        mask: () => ({ positions: Int32Array.of(i), actions: Uint8Array.of(0) }),
      })),
    );
    expect(made.name).toBe('random+whole-word+span');
    expect(made.maxSlots(128)).toBe(2);
    const counts = [0, 0, 0];
    const block = blockOf([[1]]);
    for (let i = 0; i < 6000; i++) counts[made.mask(block, stream(i)).positions[0]]++;
    // 2000 each: standard deviation 37.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(165);
  });

  it('masks a block as one of its schemes would have', () => {
    const block = randomBlock(126, 0.2, 9);
    for (let i = 0; i < 20; i++) {
      const random = stream(i);
      const picked = random.integer(2);
      const expected = [spanMasking(), wholeWordMasking()][picked].mask(block, random);
      expect(mixedMasking([spanMasking(), wholeWordMasking()]).mask(block, stream(i))).toEqual(expected);
    }
  });

  it('of one scheme is that scheme', () => {
    expect(mixedMasking([spanMasking()]).name).toBe('span');
    expect(() => mixedMasking([])).toThrow(SettingsError);
  });
});

describe('the budget', () => {
  const slots = (n: number, settings: Partial<MaskingSettings>) =>
    scheme(settings).mask(randomBlock(n, 0, 1), stream(1)).positions.length;

  it('is maskProb of the text rounded up, or ELECTRA’s of the whole row', () => {
    expect(slots(510, {})).toBe(77); // 76.5
    expect(slots(126, {})).toBe(19); // 18.9
    expect(slots(126, { maskBudget: 'electra' })).toBe(19); // round(128 · 0.15) = round(19.2)
    expect(slots(61, {})).toBe(10); // 9.15
    expect(slots(61, { maskBudget: 'electra' })).toBe(9); // 9.45
    expect(slots(510, { masking: ['random'] })).toBe(77);
    expect(slots(510, { masking: ['random'], maskBudget: 'electra' })).toBe(77); // 76.8
  });

  it('counts 7 % of 100 tokens as 7, whatever floating point makes of it', () => {
    expect(0.07 * 100).toBeGreaterThan(7);
    expect(slots(100, { maskProb: 0.07 })).toBe(7);
  });

  it('bounds the slots of every block of a length', () => {
    for (const maskBudget of ['electra', 'spanbert'] as const) {
      for (const maskProb of [0.001, 0.15, 0.5, 1]) {
        for (const n of [1, 2, 5, 62]) {
          const block = { ...randomBlock(n, 0.2, n), blockLength: 64 };
          const made = scheme({ maskBudget, maskProb });
          expect(made.mask(block, stream(n)).positions.length).toBeLessThanOrEqual(made.maxSlots(64));
        }
      }
    }
  });
});

describe('masks in batches', () => {
  // Documents of words of one to three pieces, every third token an entity.
  const document = (length: number) => ({
    ids: Array.from({ length }, (_, i) => FIRST_ID + i),
    wordStarts: Array.from({ length }, (_, i) => (i % 5 === 1 || i % 5 === 3 ? 0 : 1)),
    tags: Array.from({ length }, (_, i) => (i % 3 === 0 ? 3 : 0)),
  });
  const shards = memoryShards({ train: [document(300), document(77)], vocabSize: VOCAB_SIZE, specialIds: SPECIAL_IDS });
  const source = (settings: object = {}) =>
    createBatchSource({ shards, length: 32, batchSize: 4, seed: 3, ...settings });

  it.each(MASKING_NAMES)('are a function of seed, epoch and block: %s', (name) => {
    const made = scheme({ masking: [name] });
    const settings = { seed: 5, specialIds: SPECIAL_IDS, vocabSize: VOCAB_SIZE };
    const rows = (batch: ReturnType<ReturnType<typeof source>['batch']>, seed = 5) =>
      maskBatch(batch, made, { ...settings, seed }).rows;
    const whole = source().batch(0);
    const alone = [...whole.blockIndices].map((block) => rows(source({ trim: true }).rows([block]))[0]);
    expect(alone).toEqual(rows(whole));
    expect(rows(source().rows([2], 1))).not.toEqual(rows(source().rows([2], 0)));
    expect(rows(source().rows([2]), 6)).not.toEqual(rows(source().rows([2])));
  });

  it('see the tags of their text, beside [SEP] too', () => {
    for (const segments of ['pair', 'single'] as const) {
      const { tags, inputIds, lengths } = source({ segments }).batch(1);
      inputIds.forEach((id, i) => {
        const isText = id >= FIRST_ID;
        expect(tags![i], `${segments} ${i}`).toBe(isText && (id - FIRST_ID) % 3 === 0 ? 3 : 0);
      });
      expect(lengths.length).toBe(4);
    }
  });

  it('have the shape that is asked for, whatever scheme was picked', () => {
    const made = scheme({ masking: ['span', 'whole-word'] });
    const blocks = source({ segments: 'single' }).batch(0);
    const slots = 4 * made.maxSlots(32);
    const masked = maskBatch(blocks, made, { seed: 1, specialIds: SPECIAL_IDS, vocabSize: VOCAB_SIZE, slots });
    expect(masked.maskedPositions.length).toBe(20); // ceil(0.15 · 30) = 5 a row
  });
});

describe('settings of schemes', () => {
  it('are refused all at once', () => {
    expect(() =>
      spanMasking({ maskProb: 0, geometricP: 2, maxSpanLength: 0, keepProb: -1, anchor: 'word' as never }),
    ).toThrow(
      /5 settings are wrong[\s\S]*maxSpanLength is 0[\s\S]*geometricP is 2[\s\S]*anchor is word[\s\S]*maskProb is 0[\s\S]*keepProb is -1/,
    );
    expect(() => uniformSpanMasking({ maxSpanLength: 1.5 })).toThrow(/maxSpanLength is 1.5/);
    expect(() => taggedMasking('entity', { tagProb: 2, tagFallback: 'words' as never })).toThrow(
      /tagProb is 2[\s\S]*tagFallback is words/,
    );
    expect(() => randomMasking({ budget: 'bert' as never })).toThrow(/budget is bert; expected electra or spanbert/);
  });
});
