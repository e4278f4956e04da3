import { describe, expect, it } from 'vitest';
import { fillMask } from '../../pipelines/fillMask.js';
import { replacedTokenDetection } from '../../pipelines/replacedTokenDetection.js';
import { testModel } from '../../pipelines/testModels.js';
import { testStudioModels } from '../testStudioModels.js';
import { electraStep } from './electraStep.js';

const TEST_PAIR = testStudioModels({
  pair: {
    generator: testModel('ElectraForMaskedLM').model(),
    discriminator: testModel('ElectraForPreTraining').model(),
  },
});

const ASKED = {
  model: 'pair',
  text: 'The chef ate a meal.',
  masked: [1, 2],
  typed: [],
  temperature: 1,
  draw: { seed: 3 },
  top: 4,
};
const step = (changes: Partial<Parameters<typeof electraStep.run>[1]> = {}) =>
  electraStep.run(TEST_PAIR, electraStep.input.parse({ ...ASKED, ...changes }));

describe('electra-step', () => {
  it('gives the candidates that fill-mask gives', async () => {
    const { places } = await step();
    const filler = await fillMask(testModel('ElectraForMaskedLM').model());
    const { masks } = await filler.fill('The [MASK] [MASK] a meal.', { topK: 4 });
    places.forEach(({ candidates }, slot) => {
      expect(candidates.map(({ piece }) => piece)).toEqual(masks[slot].candidates.map(({ token }) => token));
      candidates.forEach(({ probability }, i) => expect(probability).toBeCloseTo(masks[slot].candidates[i].score, 6));
    });
  });

  it('gives the doubts that replaced-token detection gives', async () => {
    const { corrupted, discriminatorLoss } = await step({ masked: [] });
    const detector = await replacedTokenDetection(testModel('ElectraForPreTraining').model());
    const detected = await detector.detect(ASKED.text);
    corrupted.forEach(({ doubt }, i) => expect(doubt).toBeCloseTo(detected[i].replaced, 6));
    // All are original, so each token's loss is −log(1 − doubt).
    const losses = detected.map(({ replaced }) => -Math.log(1 - replaced));
    expect(discriminatorLoss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss, 0) / losses.length, 5);
  });

  it('counts a draw that equals the original as original', async () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const { tokens, places, corrupted } = await step({ draw: { seed }, temperature: 4 });
      for (const { index, drawn } of places) {
        kinds.add(corrupted[index].kind);
        const { pieces, kind, doubt, loss } = corrupted[index];
        expect(pieces).toEqual([drawn]);
        expect(kind).toBe(drawn === tokens[index].piece ? 'same' : 'drawn');
        expect(loss).toBeCloseTo(-Math.log(kind === 'drawn' ? doubt : 1 - doubt), 4);
      }
      for (const index of [0, 3, 4, 5]) expect(corrupted[index].kind).toBe('kept');
    }
    expect([...kinds].sort()).toEqual(['drawn', 'same']);
  });

  it('draws a place alike, whichever others are masked', async () => {
    const drawn = async (masked: number[]) =>
      new Map((await step({ masked, draw: { seed: 5 }, temperature: 10 })).places.map((place) => [place.index, place]));
    const both = await drawn([1, 4]);
    const again = await drawn([4, 1, 4, 99]);
    expect([...again.keys()]).toEqual([1, 4]);
    expect(again).toEqual(both);
  });

  it('flattens the distribution with the temperature, and leaves the loss alone', async () => {
    const [cold, one, hot] = await Promise.all([0.1, 1, 5].map((temperature) => step({ temperature })));
    const best = ({ places }: typeof one) => places[0].candidates[0].probability;
    expect(best(cold)).toBeGreaterThan(best(one));
    expect(best(one)).toBeGreaterThan(best(hot));
    expect(cold.generatorLoss).toBeCloseTo(hot.generatorLoss, 6);
    expect(one.places[0].loss).toBeCloseTo(-Math.log(one.places[0].originalProbability), 5);
  });

  it('takes the most probable piece where that is asked', async () => {
    const { places } = await step({ draw: 'most-probable' });
    for (const { drawn, candidates, originalRank } of places) {
      expect(drawn).toBe(candidates[0].piece);
      expect(originalRank).toBeGreaterThanOrEqual(0);
    }
  });

  it('puts a typed word in place of a token, in as many pieces as it has', async () => {
    const { corrupted, places } = await step({
      masked: [1],
      typed: [
        { index: 1, text: 'cooked' },
        { index: 2, text: 'ate' },
        { index: 4, text: 'chef' },
      ],
    });
    expect(corrupted.map(({ pieces }) => pieces.join(' '))).toEqual(['the', 'cook ##ed', 'ate', 'a', 'chef', '.']);
    expect(corrupted.map(({ kind }) => kind)).toEqual(['kept', 'typed', 'same', 'kept', 'typed', 'kept']);
    expect(places).toHaveLength(1);
  });

  it('puts a piece that continues a word in place of one', async () => {
    const { tokens, corrupted } = await step({ text: 'cooked', masked: [], typed: [{ index: 1, text: 's' }] });
    expect(tokens.map(({ piece, continues }) => [piece, continues])).toEqual([
      ['cook', false],
      ['##ed', true],
    ]);
    expect(corrupted[1].pieces).toEqual(['##s']);
  });

  it('cuts the end where a typed word takes its room', async () => {
    const typed = [{ index: 0, text: 'cooked cooks' }];
    const { tokens, corrupted, isCut } = await step({ text: 'a '.repeat(22), typed, masked: [21] });
    expect({ tokens: tokens.length, columns: corrupted.length, isCut }).toEqual({
      tokens: 19,
      columns: 19,
      isCut: true,
    });
  });

  it('cuts what is longer than the model takes, and says so', async () => {
    const { tokens, isCut } = await step({ text: 'the chef ate a meal. '.repeat(10) });
    expect({ tokens: tokens.length, isCut }).toEqual({ tokens: 22, isCut: true });
    expect(await step({ text: '' })).toMatchObject({ tokens: [], corrupted: [], discriminatorLoss: 0, isCut: false });
  });
});
