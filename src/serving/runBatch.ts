/** Runs the requests of a batch as one call of their pipeline, and sees that one bad request is the others' no harm. */
import { EngineError } from '../engine/engineError.js';
import type { WorkOptions } from '../pipelines/definition.js';
import type { PipelineName } from '../pipelines/registry.js';
import { type RunRequest, type SentOutcome, sentError } from './threadProtocol.js';

type ManyCall = (inputs: readonly unknown[], options: object & WorkOptions) => Promise<unknown[]>;

export interface BatchOutcomes {
  readonly outcomes: SentOutcome[];
  /** Of the engine itself: no request is to blame. */
  readonly engineError?: EngineError;
}

export async function runBatch(
  { pipeline, options, requests }: RunRequest,
  load: (name: PipelineName) => Promise<ManyCall>,
  signal: AbortSignal,
): Promise<BatchOutcomes> {
  let call: ManyCall;
  try {
    call = await load(pipeline);
  } catch (error) {
    return { outcomes: requests.map(() => failed(error)), ...(error instanceof EngineError && { engineError: error }) };
  }
  const runAll = async (group: readonly (readonly unknown[])[]): Promise<SentOutcome[]> => {
    const results = await call(group.flat(), { ...options, signal });
    let taken = 0;
    return group.map(({ length }) => {
      taken += length;
      return { results: results.slice(taken - length, taken) };
    });
  };
  try {
    return { outcomes: await runAll(requests) };
  } catch (error) {
    if (error instanceof EngineError) return { outcomes: requests.map(() => failed(error)), engineError: error };
    if (requests.length === 1 || signal.aborted) return { outcomes: requests.map(() => failed(error)) };
  }
  // One of them cannot be done, and only alone does it show which.
  const outcomes: SentOutcome[] = [];
  for (const request of requests) {
    try {
      outcomes.push(...(await runAll([request])));
    } catch (error) {
      outcomes.push(failed(error));
      if (!(error instanceof EngineError)) continue;
      const others = requests.slice(outcomes.length).map(() => failed(error));
      return { outcomes: [...outcomes, ...others], engineError: error };
    }
  }
  return { outcomes };
}

function failed(error: unknown): SentOutcome {
  return { error: sentError(error) };
}
