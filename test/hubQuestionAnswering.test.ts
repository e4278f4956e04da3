/** The call that readers know, against a hub that holds a repository of exactly that layout; and the name as a book spells it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../src/checkpoint/testCheckpoints.js';
import { TestHub } from '../src/hub/testHub.node.js';
import { type Answer, pipeline } from '../src/index.node.js';

const MODEL = 'mrm8488/spanbert-large-finetuned-squadv2';
const TOKENIZER = 'SpanBERT/spanbert-large-cased';
const FILES = fileURLToPath(new URL('golden/checkpoints/spanbert-squad/', import.meta.url));
const file = (name: string) => readFileSync(join(FILES, name));
const expected = JSON.parse(file('expected.json').toString()) as {
  readonly question: string;
  readonly context: string;
  readonly inputIds: readonly number[];
  readonly startLogits: readonly number[];
  readonly endLogits: readonly number[];
};

const hub = new TestHub();
const cache = temporaryFolder('hub-qa');
beforeAll(() => hub.start());
afterAll(async () => {
  await hub.stop();
  cache.remove();
});
const loading = () => ({ endpoint: hub.endpoint, cacheFolder: cache.path, token: false as const, threads: 1 });

describe('a SpanBERT for question answering on the hub', () => {
  beforeAll(() => {
    // No tokenizer_config.json, no tokenizer.json, no safetensors: as they are there.
    const all = Object.fromEntries(['config.json', 'pytorch_model.bin', 'vocab.txt'].map((name) => [name, file(name)]));
    hub.add(MODEL, all);
    hub.add(TOKENIZER, all);
  });

  it('answers the call that readers know, with the span that torch makes the best', async () => {
    const ask = await pipeline('question-answering', { model: MODEL, tokenizer: TOKENIZER, ...loading() });
    const { question, context, inputIds, startLogits, endLogits } = expected;
    const result: Answer = await ask({ question, context });
    expect(context.slice(result.start, result.end)).toBe(result.answer);
    // The vocabulary alone says that it is cased.
    const { ids, offsets, sequenceIds } = ask.tokenizer.encode(question, { pair: context });
    expect([...ids]).toEqual(inputIds);
    let best = { logit: Number.NEGATIVE_INFINITY, start: 0, end: 0 };
    for (const [s, a] of startLogits.entries()) {
      for (const [e, b] of endLogits.entries()) {
        if (sequenceIds[s] !== 1 || sequenceIds[e] !== 1 || e < s || e >= s + 15 || a + b <= best.logit) continue;
        best = { logit: a + b, start: offsets[2 * s], end: offsets[2 * e + 1] };
      }
    }
    expect(result).toMatchObject({ start: best.start, end: best.end });
    expect(result.logit).toBeCloseTo(best.logit, 4);
    await ask.release();
  });

  it('brings the thresholds that lie beside a model, and asks for none of other models', async () => {
    const settings = { nullThreshold: -1000, temperature: 3 };
    hub.add('owner/with-thresholds', {
      ...Object.fromEntries(['config.json', 'pytorch_model.bin', 'vocab.txt'].map((name) => [name, file(name)])),
      'question_answering.json': JSON.stringify(settings),
    });
    const ask = await pipeline('question-answering', { model: 'owner/with-thresholds', ...loading() });
    expect(ask.model.taskSettings).toEqual(settings);
    expect((await ask({ question: expected.question, context: expected.context })).answer).toBe('');
    await ask.release();
  });

  it('is named by its nearest known spelling where it is asked for under another', async () => {
    const asBooksSpellIt = 'mrm8488/spanbert-large-fine-tuned-squadv2';
    await expect(pipeline('question-answering', { model: asBooksSpellIt, ...loading() })).rejects.toThrow(
      `there is no repository ${asBooksSpellIt} at ${hub.endpoint}; did you mean ${MODEL}?`,
    );
    await expect(pipeline('fill-mask', { model: 'google/electra-small-generatr', ...loading() })).rejects.toMatchObject(
      {
        message: expect.stringContaining('did you mean google/electra-small-generator?'),
        problem: 'repositoryNotFound',
      },
    );
    await expect(pipeline('fill-mask', { model: 'someone/something-else', ...loading() })).rejects.toMatchObject({
      message: expect.not.stringContaining('did you mean'),
    });
    // A known name that a hub happens not to have is not proposed for itself.
    await expect(pipeline('fill-mask', { model: 'google/electra-base-generator', ...loading() })).rejects.toMatchObject(
      {
        message: expect.not.stringContaining('did you mean'),
      },
    );
  });
});
