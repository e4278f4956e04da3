/** From a body to work for a model: read by its schemas, held against the limits, counted. */
import { SettingsError } from '../errors/errors.js';
import { checkedValue } from '../pipelines/checkedValue.js';
import { type PipelineName, pipelineNamed } from '../pipelines/registry.js';
import { countPieces, inputLength, textsOf } from './inputLengths.js';
import type { Asked, ModelCard, Route } from './routes/route.js';
import type { Work } from './servedModel.js';
import { emptyRequest, invalid, tooLarge } from './servingErrors.js';
import type { ServingSettings } from './servingSettings.js';

export type RequestLimits = Pick<ServingSettings, 'maxTexts' | 'maxTextLength'>;

/** @throws RequestError 422 naming all that the route does not take */
export function readBody<Body>({ body }: Pick<Route<Body>, 'body'>, given: unknown): Body {
  return checkedValue(body, given, 'the body', (problems) => invalid(problems.join('; ')));
}

/**
 * The work that a body asks for.
 * @throws RequestError 422 for inputs and options that the pipeline does not take, 413 for too much, 400 for nothing
 */
export function workOf(route: Route, body: unknown, model: ModelCard, limits: RequestLimits): Work {
  const asked = route.parse(body, model);
  const { input: schema, options: optionsSchema } = pipelineNamed(route.task);
  checkAmount(asked, limits);
  const inputs = asked.inputs.map((input, i) =>
    checkedValue(schema, input, asked.inputs.length === 1 ? 'the input' : `input ${i}`, (problems) =>
      invalid(problems.join('; ')),
    ),
  );
  const options: object = checkedValue(optionsSchema, asked.options, 'options', (all) => new SettingsError(all));
  const labels = route.task === 'zero-shot-classification' ? numLabels(options) : 1;
  if (labels > limits.maxTexts) throw tooMany(labels, 'labels', limits.maxTexts);
  if (asked.refuseLong) for (const input of inputs) refuseLong(input, model);
  const lengths = inputs.map((input) => inputLength(route.task as PipelineName, input, model, labels));
  return { pipeline: route.task, options, inputs, lengths };
}

function checkAmount({ inputs }: Asked, { maxTexts, maxTextLength }: RequestLimits): void {
  if (inputs.length === 0) throw emptyRequest('there is no input');
  const texts = inputs.flatMap(textsOf);
  const most = Math.max(inputs.length, ...inputs.map((input) => listLength(input)));
  if (most > maxTexts) throw tooMany(most, 'texts', maxTexts);
  const long = texts.find((text) => text.length > maxTextLength);
  if (long === undefined) return;
  throw tooLarge(`a text has ${long.length} characters; at most ${maxTextLength} are taken`);
}

/** Texts of the longest list within an input: sentences to compare, choices, contexts. */
function listLength(input: unknown): number {
  if (typeof input !== 'object' || input === null) return 1;
  return Math.max(1, ...Object.values(input).map((value) => (Array.isArray(value) ? value.length : 1)));
}

function tooMany(count: number, what: string, most: number): Error {
  return tooLarge(`the request has ${count} ${what}; at most ${most} are taken`);
}

function numLabels(options: { readonly labels?: object }): number {
  const labels = Object.values(options.labels ?? {});
  return Math.max(1, labels.flat().length);
}

/** @throws RequestError 413 for a text that would lose its end */
function refuseLong(input: unknown, { tokenizer, maxLength }: ModelCard): void {
  const pieces = textsOf(input).map((text) => countPieces(tokenizer, text));
  const isPair = typeof input === 'object' && input !== null && Object.hasOwn(input, 'textPair');
  const tokens = isPair ? pieces.reduce((sum, count) => sum + count, 3) : Math.max(...pieces) + 2;
  if (tokens > maxLength)
    throw tooLarge(`a text has ${tokens} tokens; the model takes ${maxLength}, and truncate is false`);
}
