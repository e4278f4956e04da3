/** What a route is: a path, how its body becomes the inputs and options of a pipeline, and how the results become its answer. */
import type { z } from 'zod';
import type { PipelineName } from '../../pipelines/registry.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';

/** What routes know of a model. */
export interface ModelCard {
  readonly id: string;
  /** What it is for. */
  readonly task: PipelineName;
  /** All that it can do. */
  readonly pipelines: readonly PipelineName[];
  readonly maxLength: number;
  readonly hiddenSize: number;
  readonly architecture?: string;
  readonly labels?: readonly string[];
  /** `problem_type` of its config. */
  readonly problemType?: string;
  readonly tokenizer: WordPieceTokenizer;
}

/** What a body asks of a pipeline. */
export interface Asked {
  readonly inputs: readonly unknown[];
  readonly options: object;
  /** Whether a text that the model would cut is refused. */
  readonly refuseLong?: boolean;
}

export interface Answered {
  readonly model: ModelCard;
  readonly inputs: readonly unknown[];
  /** Tokens of each input. */
  readonly lengths: readonly number[];
}

export interface Route<Body = unknown> {
  /** As hono writes it; `:id` names a model. */
  readonly path: string;
  readonly group: 'pleiad' | 'hugging face' | 'text-embeddings-inference' | 'openai';
  readonly summary: string;
  readonly task: PipelineName;
  readonly body: z.ZodType<Body>;
  /** Of the answer. */
  readonly response: z.ZodType;
  /** @throws RequestError 422 for what the model does not do */
  parse(body: Body, model: ModelCard): Asked;
  /** @param results  one for each input, as the pipeline gives them */
  shape(results: readonly unknown[], body: Body, answered: Answered): unknown;
}

/** A route of the table: its body has been read by its own schema before `parse` and `shape` see it. */
export function route<Body>(definition: Route<Body>): Route {
  return definition as unknown as Route;
}
