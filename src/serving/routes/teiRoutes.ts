/** The routes of text-embeddings-inference (router/src), for clients, boards and load balancers that know it. */
import { z } from 'zod';
import type { ScoredLabel } from '../../pipelines/textClassification.js';
import { invalid } from '../servingErrors.js';
import { ALL_LABELS, refuseCutting } from './hubRoutes.js';
import { type ModelCard, type Route, route } from './route.js';
import { numbersOf, shortened } from './vectors.js';

const texts = z.union([z.string(), z.array(z.string()).min(1)]).describe('a text, or a list of texts');
const label = z.object({ label: z.string(), score: z.number() });
/** Which of several models; TEI has one. */
const model = z.string().nullish().describe('id of a model; default the first that can');
const cutting = {
  truncate: z.boolean().nullish(),
  truncation_direction: z.string().nullish(),
  prompt_name: z.string().nullish(),
  model,
};

const embed = route({
  path: '/embed',
  group: 'text-embeddings-inference',
  summary: 'vectors of texts, of length 1 unless normalize is false',
  task: 'feature-extraction',
  body: z.strictObject({
    inputs: texts,
    normalize: z.boolean().nullish(),
    dimensions: z.number().int().min(1).nullish(),
    ...cutting,
  }),
  response: z.array(z.array(z.number())),
  parse: ({ inputs, normalize, truncate, truncation_direction, prompt_name }) => {
    refuseCutting(truncation_direction, prompt_name);
    return {
      inputs: typeof inputs === 'string' ? [inputs] : inputs,
      options: { pooling: 'mean', normalize: normalize !== false },
      refuseLong: truncate === false,
    };
  },
  shape: (results, { normalize, dimensions }) =>
    (results as Float32Array[]).map((vector) =>
      numbersOf(shortened(vector, dimensions ?? undefined, normalize !== false)),
    ),
});

type PredictInputs = string | string[] | string[][];

/** A text, a pair of texts, or a list of either in brackets. */
const predict = route({
  path: '/predict',
  group: 'text-embeddings-inference',
  summary: 'labels of a text ("a"), of a pair (["a", "b"]), or of several ([["a"], ["a", "b"]])',
  task: 'text-classification',
  body: z.strictObject({
    inputs: z
      .union([z.string(), z.array(z.string()).min(1).max(2), z.array(z.array(z.string()).min(1).max(2)).min(1)])
      .describe('a text, a pair of texts, or a list of [text] and [text, text]'),
    raw_scores: z.boolean().nullish(),
    ...cutting,
  }),
  response: z.union([z.array(label), z.array(z.array(label))]),
  parse: ({ inputs, raw_scores, truncate, truncation_direction, prompt_name }) => {
    refuseCutting(truncation_direction, prompt_name);
    refuseRaw(raw_scores);
    const all = isMany(inputs) ? inputs : [typeof inputs === 'string' ? [inputs] : (inputs as string[])];
    return { inputs: all.map(textOrPair), options: { topK: ALL_LABELS }, refuseLong: truncate === false };
  },
  shape: (results, { inputs }) => {
    const all = (results as ScoredLabel[][]).map((labels) =>
      labels.map(({ label: name, score }) => ({ score, label: name })),
    );
    return isMany(inputs) ? all : all[0];
  },
});

function isMany(inputs: PredictInputs): inputs is string[][] {
  return Array.isArray(inputs) && Array.isArray(inputs[0]);
}

function textOrPair([text, textPair]: readonly string[]): unknown {
  return textPair === undefined ? text : { text, textPair };
}

function refuseRaw(rawScores: boolean | null | undefined): void {
  if (rawScores) throw invalid('raw_scores is true; the scores here are probabilities, leave it out');
}

const rerank = route({
  path: '/rerank',
  group: 'text-embeddings-inference',
  summary: 'texts by how well they go with a query, by a classifier of pairs with one label',
  task: 'text-classification',
  body: z.strictObject({
    query: z.string(),
    texts: z.array(z.string()).min(1),
    raw_scores: z.boolean().nullish(),
    return_text: z.boolean().nullish(),
    truncate: z.boolean().nullish(),
    truncation_direction: z.string().nullish(),
    model,
  }),
  response: z.array(z.object({ index: z.number(), score: z.number(), text: z.string().optional() })),
  parse: ({ query, texts: all, raw_scores, truncate, truncation_direction }, card) => {
    refuseCutting(truncation_direction, undefined);
    refuseRaw(raw_scores);
    requireReranker(card);
    return {
      inputs: all.map((text) => ({ text: query, textPair: text })),
      options: { topK: 1 },
      refuseLong: truncate === false,
    };
  },
  shape: (results, { texts: all, return_text }) =>
    (results as ScoredLabel[][])
      .map(([{ score }], index) => ({ index, score, ...(return_text && { text: all[index] }) }))
      .sort((a, b) => b.score - a.score),
});

function requireReranker({ id, labels }: ModelCard): void {
  if (labels?.length === 1) return;
  throw invalid(
    `the model ${JSON.stringify(id)} has ${labels?.length ?? 2} labels; expected one, whose score says how well a pair goes together`,
  );
}

const similarity = route({
  path: '/similarity',
  group: 'text-embeddings-inference',
  summary: 'how near a sentence is to others, a cosine for each',
  task: 'sentence-similarity',
  body: z.strictObject({
    inputs: z.strictObject({ source_sentence: z.string(), sentences: z.array(z.string()).min(1) }),
    parameters: z.strictObject(cutting).partial().nullish(),
    model,
  }),
  response: z.array(z.number()),
  parse: ({ inputs: { source_sentence, sentences }, parameters }) => {
    refuseCutting(parameters?.truncation_direction, parameters?.prompt_name);
    return {
      inputs: [{ sourceSentence: source_sentence, sentences }],
      options: {},
      refuseLong: parameters?.truncate === false,
    };
  },
  shape: ([similarities]) => similarities,
});

export const TEI_ROUTES: readonly Route[] = [embed, predict, rerank, similarity];

/** `/tokenize` asks no model: its tokenizer is in the server. */
export const tokenizeBody = z.strictObject({
  inputs: texts,
  add_special_tokens: z.boolean().nullish(),
  prompt_name: z.string().nullish(),
  model,
});

export const tokenizeResponse = z.array(
  z.array(
    z.object({
      id: z.number(),
      text: z.string(),
      special: z.boolean(),
      start: z.number().nullable(),
      stop: z.number().nullable(),
    }),
  ),
);

/** Tokens as TEI lists them, offsets in code points. */
export function tokenized({ inputs, add_special_tokens }: z.output<typeof tokenizeBody>, card: ModelCard): unknown {
  const { tokenizer } = card;
  return (typeof inputs === 'string' ? [inputs] : inputs).map((text) => {
    const { ids, tokens, specialTokensMask, offsets } = tokenizer.encode(text, {
      addSpecialTokens: add_special_tokens !== false,
      offsets: 'codePoint',
    });
    return Array.from(ids, (id, i) => {
      const special = specialTokensMask[i] === 1;
      const [start, stop] = special ? [null, null] : [offsets[2 * i], offsets[2 * i + 1]];
      return { id, text: tokens[i], special, start, stop };
    });
  });
}
