/**
 * What Hugging Face's clients send and accept (huggingface.js packages/inference, huggingface_hub): `{ inputs, parameters }`, with
 * parameters at the root too, as Python sends them for some tasks. Shapes that decide whether a client throws: labels of a text
 * are nested once more, every tagged item has `entity_group`, offsets count code points, and a question is never answered by [].
 */
import { z } from 'zod';
import type { Answer } from '../../pipelines/answers.js';
import type { FillMaskCandidate, FillMasksOutput } from '../../pipelines/fillMaskPipeline.js';
import type { PipelineName } from '../../pipelines/registry.js';
import { AGGREGATIONS } from '../../pipelines/tokenAggregation.js';
import type { TaggedSpan } from '../../pipelines/tokenClassification.js';
import type { ZeroShotResult } from '../../pipelines/zeroShotClassification.js';
import { invalid } from '../servingErrors.js';
import { codePointOffsets } from './codePoints.js';
import { type Answered, type Asked, type ModelCard, type Route, route } from './route.js';
import { base64Of, numbersOf, shortened } from './vectors.js';

const count = () => z.number().int().min(1).nullish();
const flag = () => z.boolean().nullish();
const oneOrMany = <T>(one: z.ZodType<T>, what = 'a text') =>
  z.union([one, z.array(one).min(1)]).describe(`${what}, or a list of such`);
const listed = <T>(given: T | readonly T[]): readonly T[] => (Array.isArray(given) ? given : [given as T]);
/** One input is answered by itself, several by a list. */
const asGiven = (given: unknown, all: readonly unknown[]) => (Array.isArray(given) ? all : all[0]);

interface HubTask<Inputs, Parameters extends z.ZodObject> {
  readonly task: PipelineName;
  readonly summary: string;
  readonly inputs: z.ZodType<Inputs>;
  readonly parameters: Parameters;
  readonly response: z.ZodType;
  parse(inputs: Inputs, parameters: z.output<Parameters>, model: ModelCard): Asked;
  shape(results: readonly unknown[], inputs: Inputs, parameters: z.output<Parameters>, answered: Answered): unknown;
}

/** `{ inputs, parameters }`; of a parameter that is given twice, the one inside `parameters` counts. */
function hubRoute<Inputs, Parameters extends z.ZodObject>(definition: HubTask<Inputs, Parameters>): Route {
  const { task, summary, inputs, parameters, response } = definition;
  const body = z.strictObject({
    inputs,
    parameters: parameters.nullish(),
    // Of the hub's own service: waiting and caching, which mean nothing here.
    options: z.looseObject({}).nullish(),
    model: z.string().nullish(),
    ...parameters.shape,
  });
  const merged = (given: Record<string, unknown>) => {
    const names = Object.keys(parameters.shape);
    const all = { ...given, ...withoutNulls(given.parameters as object | null | undefined) } as Record<string, unknown>;
    const own = names.filter((name) => all[name] !== undefined && all[name] !== null).map((name) => [name, all[name]]);
    return Object.fromEntries(own) as z.output<Parameters>;
  };
  return route<Record<string, unknown>>({
    path: `/models/:id/pipeline/${task}`,
    group: 'hugging face',
    summary,
    task,
    body: body as unknown as z.ZodType<Record<string, unknown>>,
    response,
    parse: (given, model) => definition.parse(given.inputs as Inputs, merged(given), model),
    shape: (results, given, answered) => definition.shape(results, given.inputs as Inputs, merged(given), answered),
  });
}

function withoutNulls(given: object | null | undefined): object {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null));
}

const question = z.strictObject({ question: z.string(), context: z.string() });
const answer = z.object({ answer: z.string(), score: z.number(), start: z.number(), end: z.number() });

const questionAnswering = hubRoute({
  task: 'question-answering',
  summary: 'the part of a context that answers a question; top_k of 2 or more gives a list',
  inputs: oneOrMany(question, '{ question, context }'),
  parameters: z.strictObject({
    align_to_words: flag(),
    doc_stride: z.number().int().min(0).nullish(),
    handle_impossible_answer: flag(),
    max_answer_len: count(),
    max_question_len: count(),
    max_seq_len: z.number().int().min(5).nullish(),
    top_k: count(),
  }),
  response: z.union([answer, z.array(answer)]),
  parse: (inputs, given) => ({
    inputs: listed(inputs),
    options: defined({
      alignToWords: given.align_to_words,
      docStride: given.doc_stride,
      handleImpossibleAnswer: given.handle_impossible_answer,
      maxAnswerLength: given.max_answer_len,
      maxQuestionLength: given.max_question_len,
      maxLength: given.max_seq_len,
      topK: given.top_k ?? 1,
      codePoints: true,
    }),
  }),
  shape: (results, inputs, { top_k }) => {
    const all = (results as Answer[][]).map((answers) => {
      const shaped = answers.map(({ answer: text, score, codePointStart: start, codePointEnd: end }) => ({
        answer: text,
        score,
        start,
        end,
      }));
      return (top_k ?? 1) === 1 ? shaped[0] : shaped;
    });
    return asGiven(inputs, all);
  },
});

const filling = z.object({ score: z.number(), token: z.number(), token_str: z.string(), sequence: z.string() });

const fillMask = hubRoute({
  task: 'fill-mask',
  summary: 'what could stand where a text has [MASK]; of several masks a list for each',
  inputs: oneOrMany(z.string()),
  parameters: z.strictObject({ top_k: count(), targets: z.array(z.string()).nullish() }),
  response: z.union([z.array(filling), z.array(z.array(filling))]),
  parse: (inputs, { top_k, targets }) => ({ inputs: listed(inputs), options: defined({ topK: top_k, targets }) }),
  shape: (results, inputs) => {
    const shaped = (candidates: FillMaskCandidate[]) =>
      candidates.map(({ score, id, token, text }) => ({ score, token: id, token_str: token, sequence: text }));
    const all = (results as (FillMaskCandidate[] | FillMasksOutput)[]).map((each) =>
      Array.isArray(each) ? shaped(each) : each.masks.map(shaped),
    );
    return asGiven(inputs, all);
  },
});

const tagged = z.object({
  entity_group: z.string(),
  entity: z.string().optional(),
  word: z.string(),
  score: z.number(),
  start: z.number(),
  end: z.number(),
});

const tokenClassification = hubRoute({
  task: 'token-classification',
  summary: 'the parts of a text that have a label',
  inputs: oneOrMany(z.string()),
  parameters: z.strictObject({
    aggregation_strategy: z.enum(AGGREGATIONS).nullish(),
    ignore_labels: z.array(z.string()).nullish(),
    // Long texts are always read in windows that overlap.
    stride: z.number().int().min(0).nullish(),
  }),
  response: z.array(tagged),
  parse: (inputs, { aggregation_strategy, ignore_labels }) => ({
    inputs: listed(inputs),
    options: defined({ aggregation: aggregation_strategy, ignoreLabels: ignore_labels }),
  }),
  shape: (results, inputs, { aggregation_strategy }, { inputs: texts }) => {
    const all = (results as TaggedSpan[][]).map((spans, i) => {
      const offset = codePointOffsets(texts[i] as string);
      return spans.map(({ entity, text: word, score, start, end }) => ({
        // The JavaScript client asks for entity_group of single pieces, too.
        entity_group: entity,
        ...(aggregation_strategy === 'none' && { entity }),
        word,
        score,
        start: offset(start),
        end: offset(end),
      }));
    });
    return asGiven(inputs, all);
  },
});

const label = z.object({ label: z.string(), score: z.number() });

const textClassification = hubRoute({
  task: 'text-classification',
  summary: 'the labels of a text, all of them or the top_k best',
  inputs: oneOrMany(z.string()),
  parameters: z.strictObject({ top_k: count(), function_to_apply: z.enum(['sigmoid', 'softmax', 'none']).nullish() }),
  response: z.array(z.array(label)),
  parse: (inputs, { top_k, function_to_apply }, model) => {
    const own = functionOf(model);
    if (function_to_apply && function_to_apply !== own) {
      throw invalid(`function_to_apply is ${function_to_apply}; the scores of this model are ${own}`);
    }
    return { inputs: listed(inputs), options: { topK: top_k ?? ALL_LABELS } };
  },
  // Nested for one text, too: both clients take the first of a list of lists.
  shape: (results) => results,
});

/** More than any model has. */
export const ALL_LABELS = 1_000_000;

/** How a classifier's logits become scores. */
function functionOf({ problemType, labels }: ModelCard): 'sigmoid' | 'softmax' | 'none' {
  if (problemType === 'regression') return 'none';
  return problemType === 'multi_label_classification' || labels?.length === 1 ? 'sigmoid' : 'softmax';
}

const zeroShotClassification = hubRoute({
  task: 'zero-shot-classification',
  summary: 'which of any labels fits a text, the most probable first',
  inputs: oneOrMany(z.string()),
  parameters: z.strictObject({
    candidate_labels: z.union([z.string(), z.array(z.string()).min(1)]).nullish(),
    hypothesis_template: z.string().nullish(),
    multi_label: flag(),
    calibrate: flag(),
  }),
  response: z.array(label),
  parse: (inputs, { candidate_labels, hypothesis_template, multi_label, calibrate }) => {
    if (!candidate_labels)
      throw invalid('parameters.candidate_labels is missing; expected labels such as ["great", "terrible"]');
    const labels =
      typeof candidate_labels === 'string' ? candidate_labels.split(',').map((each) => each.trim()) : candidate_labels;
    return {
      inputs: listed(inputs),
      options: defined({
        labels,
        template: hypothesis_template && templateOf(hypothesis_template),
        multiLabel: multi_label,
        calibrate,
      }),
    };
  },
  shape: (results, inputs) => {
    const all = (results as ZeroShotResult[]).map(({ labels, scores }) =>
      labels.map((name, i) => ({ label: name, score: scores[i] })),
    );
    return asGiven(inputs, all);
  },
});

/** "This text is {}." stands after the text, as a hypothesis after its premise. */
function templateOf(hypothesis: string): string {
  if (hypothesis.includes('{label}')) return hypothesis.includes('{text}') ? hypothesis : `{text} ${hypothesis}`;
  return `{text} ${hypothesis.replace('{}', '{label}')}`;
}

const vector = z.union([z.array(z.number()), z.string()]);

const featureExtraction = hubRoute({
  task: 'feature-extraction',
  summary: 'the vector of a text; with pooling none, one for each token',
  inputs: oneOrMany(z.string()),
  parameters: z.strictObject({
    normalize: flag(),
    truncate: flag(),
    truncation_direction: z.string().nullish(),
    prompt_name: z.string().nullish(),
    dimensions: count(),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    pooling: z.enum(['none', 'cls', 'mean', 'max']).nullish(),
  }),
  response: z.union([vector, z.array(vector), z.array(z.array(z.array(z.number())))]),
  parse: (inputs, { normalize, truncate, truncation_direction, prompt_name, pooling }) => {
    refuseCutting(truncation_direction, prompt_name);
    return {
      inputs: listed(inputs),
      options: defined({ pooling: pooling ?? 'mean', normalize }),
      refuseLong: truncate === false,
    };
  },
  shape: (results, inputs, { normalize, dimensions, encoding_format }) => {
    const one = (each: Float32Array) => {
      const short = shortened(each, dimensions ?? undefined, normalize === true);
      return encoding_format === 'base64' ? base64Of(short) : numbersOf(short);
    };
    const all = (results as (Float32Array | Float32Array[])[]).map((each) =>
      Array.isArray(each) ? each.map(one) : one(each),
    );
    return asGiven(inputs, all);
  },
});

/** What TEI and the hub know and Pleiad's models do not. */
export function refuseCutting(direction: string | null | undefined, promptName: string | null | undefined): void {
  if (direction && direction.toLowerCase() !== 'right') {
    throw invalid(`truncation_direction is ${JSON.stringify(direction)}; texts lose their end (right)`);
  }
  if (promptName)
    throw invalid(`prompt_name is ${JSON.stringify(promptName)}; no model here has prompts, write it into the text`);
}

const sentenceSimilarity = hubRoute({
  task: 'sentence-similarity',
  summary: 'how near a sentence is to others, a cosine for each',
  inputs: z
    .strictObject({ source_sentence: z.string(), sentences: z.array(z.string()).min(1) })
    .describe('{ source_sentence, sentences }'),
  parameters: z.strictObject({}),
  response: z.array(z.number()),
  parse: ({ source_sentence, sentences }) => ({
    inputs: [{ sourceSentence: source_sentence, sentences }],
    options: {},
  }),
  shape: ([similarities]) => similarities,
});

export const HUB_ROUTES: readonly Route[] = [
  questionAnswering,
  fillMask,
  tokenClassification,
  textClassification,
  zeroShotClassification,
  featureExtraction,
  sentenceSimilarity,
];

/**
 * The task of a body without one in its path: that of the model, unless what is sent is plainly for another that it can do.
 */
export function hubTaskOf(body: unknown, { task, pipelines }: ModelCard): PipelineName {
  const { inputs, parameters } = (body ?? {}) as { inputs?: object; parameters?: object };
  const has = (within: unknown, name: string) =>
    typeof within === 'object' && within !== null && Object.hasOwn(within, name);
  const meant: PipelineName = has(inputs, 'source_sentence')
    ? 'sentence-similarity'
    : has(parameters, 'candidate_labels')
      ? 'zero-shot-classification'
      : task;
  return pipelines.includes(meant) ? meant : task;
}

function defined(options: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null));
}
