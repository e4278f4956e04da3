/** The discriminator's doubts over many corruptions of one text, each with its label: what a ROC curve is drawn from. */
import { z } from 'zod';
import { logProbabilities } from '../../pipelines/maskedLanguageModel.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { Permutation, RandomStream } from '../../random/philox.js';
import { studioCall } from '../studioCall.js';
import { doubtOf, replacedLogits } from './discriminator.js';
import { atTemperature, drawAt } from './generator.js';
import { LONGEST_SHOWN } from './tokens.js';

export interface CorruptionScores {
  /** Probability of "replaced" of every token of every corruption. */
  readonly doubts: readonly number[];
  /** 1 where it was replaced. */
  readonly labels: readonly (0 | 1)[];
  /** Masked tokens in all, and those whose draw was the original again. */
  readonly masked: number;
  readonly drawnAgain: number;
}

export const corruptionScores = studioCall({
  input: z.object({
    model: z.string(),
    text: z.string().max(2000),
    /** Of the tokens, masked in each corruption; at least one is. */
    fraction: z.number().min(0).max(1),
    temperature: z.number().min(0.05).max(10),
    corruptions: z.int().min(1).max(64),
    seed: z.int().min(0),
  }),
  async run(models, { model, text, fraction, temperature, corruptions, seed }, signal): Promise<CorruptionScores> {
    const { rows, original, masked } = await models.withModel(model, 'generator', async (generator) => {
      const tokenizer = requireTokenizer(generator);
      const { ids } = tokenizer.encode(text, { maxLength: Math.min(generator.maxLength, LONGEST_SHOWN) });
      const length = ids.length - 2;
      const count = Math.min(length, Math.max(1, Math.round(length * fraction)));
      const gaps = Array.from({ length: corruptions }, (_, number) => {
        const order = new Permutation(Math.max(1, length), new RandomStream(seed, 'masking', number));
        const positions = Array.from({ length: count }, (_, i) => order.at(i) + 1).sort((a, b) => a - b);
        const hidden = ids.slice();
        for (const position of positions) hidden[position] = tokenizer.maskId;
        return { ids: hidden, positions };
      });
      const distributions = count > 0 ? await logProbabilities(generator, gaps) : [];
      const drawn = distributions.map((places, number) => {
        const row = ids.slice();
        for (const [slot, position] of gaps[number].positions.entries()) {
          const tempered = atTemperature(places[slot], temperature);
          row[position] = drawAt(tokenizer, tempered, { seed, attempt: number }, position);
        }
        return row;
      });
      return { rows: drawn, original: ids.slice(1, -1), masked: count * distributions.length };
    });
    const logits = await models.withModel(model, 'discriminator', (found) => replacedLogits(found, rows, signal));
    const labels = rows.flatMap((row) => [...original].map((id, i) => (row[i + 1] === id ? 0 : 1)));
    const replaced = labels.reduce<number>((sum, label) => sum + label, 0);
    return { doubts: logits.flatMap((row) => [...row].map(doubtOf)), labels, masked, drawnAgain: masked - replaced };
  },
});
