/** Our own routes, one for each pipeline of the registry: its input, options and result as they are in the library. */
import { z } from 'zod';
import type { Pipeline } from '../../pipelines/definition.js';
import { PIPELINES, type PipelineName } from '../../pipelines/registry.js';
import { invalid } from '../servingErrors.js';
import { type Route, route } from './route.js';
import { numbersOf } from './vectors.js';

interface OwnBody {
  readonly model?: string;
  readonly input?: unknown;
  readonly inputs?: readonly unknown[];
  readonly options?: object;
}

export const OWN_ROUTES: readonly Route[] = (Object.keys(PIPELINES) as PipelineName[]).map(ownRoute);

function ownRoute(name: PipelineName): Route {
  const { summary, input, options, output } = PIPELINES[name] as unknown as Pipeline;
  const body = z.strictObject({
    model: z.string().optional().describe('id of a model; default the first that is for this, else the first that can'),
    input: input.optional(),
    inputs: z.array(input).min(1).optional().describe('several inputs, instead of `input`'),
    options: options.optional(),
  });
  return route<OwnBody>({
    path: `/api/${name}`,
    group: 'pleiad',
    summary,
    task: name,
    body: body as z.ZodType<OwnBody>,
    response: z.union([output, z.array(output)]),
    parse: (given) => {
      if ((given.input === undefined) === (given.inputs === undefined)) {
        const both = given.input === undefined ? 'neither is given' : 'both are given';
        throw invalid(`expected input, or inputs for several; ${both}`);
      }
      return { inputs: given.inputs ?? [given.input], options: given.options ?? {} };
    },
    shape: (results, { inputs }) => {
      const all = results.map(asJson);
      return inputs === undefined ? all[0] : all;
    },
  });
}

/** Vectors as lists of numbers, wherever a result has any: JSON has no typed arrays. */
function asJson(result: unknown): unknown {
  if (result instanceof Float32Array) return numbersOf(result);
  const hasVectors = Array.isArray(result) && result[0] instanceof Float32Array;
  return hasVectors ? (result as Float32Array[]).map(numbersOf) : result;
}
