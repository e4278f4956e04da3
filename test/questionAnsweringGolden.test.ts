/** `scoring: 'hf'` against the pipeline of transformers 4.53 on the same weights: test/golden/make_question_answering_golden.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createInterpreterEngine } from '../src/engine/interpreterEngine.js';
import { encoderConfig } from '../src/models/config.js';
import type { QuestionAnsweringOptions } from '../src/pipelines/answers.js';
import { createPipeline } from '../src/pipelines/createPipeline.js';
import { Model } from '../src/pretrained/model.js';
import { PUBLISHED_NORMALIZATION, WordPieceTokenizer } from '../src/text/tokenizer.js';

interface Golden {
  readonly transformers: string;
  readonly vocabulary: readonly string[];
  readonly config: Readonly<Record<string, number>>;
  readonly step: number;
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;
  readonly cases: readonly {
    readonly question: string;
    readonly context: string;
    readonly options: QuestionAnsweringOptions;
    readonly answers: readonly {
      readonly score: number;
      readonly start: number;
      readonly end: number;
      readonly answer: string;
    }[];
  }[];
}

const golden = JSON.parse(
  readFileSync(new URL('golden/question-answering-hf.json', import.meta.url), 'utf8'),
) as Golden;

function model(): Model {
  const { config, vocabulary, step, tensors } = golden;
  return new Model({
    description: {
      architecture: 'BertForQuestionAnswering',
      config: encoderConfig('tiny', vocabulary.length, {
        embeddingSize: config.hidden_size,
        hiddenSize: config.hidden_size,
        numHiddenLayers: config.num_hidden_layers,
        numAttentionHeads: config.num_attention_heads,
        intermediateSize: config.intermediate_size,
        maxPositionEmbeddings: config.max_position_embeddings,
      }),
    },
    tensors: new Map(
      Object.entries(tensors).map(([name, { shape, values }]) => [
        name,
        { shape, data: Float32Array.from(values, (value) => value * step) },
      ]),
    ),
    engine: createInterpreterEngine(),
    tokenizer: WordPieceTokenizer.fromVocabulary(vocabulary, PUBLISHED_NORMALIZATION),
  });
}

describe("scoring: 'hf'", () => {
  it(`gives the answers, places and scores of transformers ${golden.transformers}`, async () => {
    expect(golden.transformers).toMatch(/^4\.53\./);
    const ask = await createPipeline('question-answering', model());
    for (const { question, context, options, answers } of golden.cases) {
      const { topK = 1, ...others } = options;
      const found = await ask({ question, context }, { ...others, topK, scoring: 'hf', codePoints: true });
      const where = JSON.stringify({ question, context: context.slice(0, 40), options });
      expect(
        found.map(({ answer }) => answer),
        where,
      ).toEqual(answers.map(({ answer }) => answer));
      for (const [i, { score, start, end, answer }] of answers.entries()) {
        expect(Math.abs(found[i].score - score), `${where} ${answer}`).toBeLessThan(1e-5 + 1e-4 * score);
        expect([found[i].codePointStart, found[i].codePointEnd], where).toEqual([start, end]);
        expect(context.slice(found[i].start, found[i].end)).toBe(answer);
      }
    }
    expect(golden.cases.length).toBeGreaterThan(40);
    // Scores of the same words are added up over windows there, so that some exceed 1; ours never do.
    const [long] = golden.cases.filter(({ context }) => context.length > 500);
    const all = await ask({ question: long.question, context: long.context }, { topK: 20 });
    expect(all.reduce((sum, { score }) => sum + score, 0)).toBeLessThanOrEqual(1 + 1e-9);
  });
});
