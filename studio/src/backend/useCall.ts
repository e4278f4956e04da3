/** A call of the backend as a value of a component: the newest answer, and what is on its way. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import type { StudioCallName } from '../../../src/studio/studioCalls.js';
import { type CallInput, type CallOutput, type Progress, useBackend } from './backend.js';

export interface Pending<Value> {
  /** The last answer; while a new one is on its way, still the old one. */
  readonly value?: Value;
  readonly isLoading: boolean;
  readonly progress?: Progress;
  readonly error?: Error;
  /** Asks again, after an error. */
  retry(): void;
}

/**
 * @param input  undefined while there is nothing to ask; when it changes in content, the call is made anew and the older one
 *               is aborted
 * @param delayMs  how long the input must stay as it is before the call is made: for what costs more than it says. Default 0
 */
export function useCall<Name extends StudioCallName>(
  name: Name,
  input: CallInput<Name> | undefined,
  delayMs = 0,
): Pending<CallOutput<Name>> {
  const backend = useBackend();
  return usePending<CallOutput<Name>>(
    input === undefined ? undefined : `${name} ${JSON.stringify(input)}`,
    (signal, onProgress) =>
      settled(delayMs, signal).then(() => backend.call(name, input as CallInput<Name>, { signal, onProgress })),
  );
}

async function settled(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  signal.throwIfAborted();
}

/** The models that the page may use. */
export function useModels(): Pending<readonly StudioModelSummary[]> {
  const backend = useBackend();
  return usePending('models', () => backend.models());
}

/** @param key  what is asked for, in content; undefined asks for nothing */
export function usePending<Value>(
  key: string | undefined,
  ask: (signal: AbortSignal, onProgress: (progress: Progress) => void) => Promise<Value>,
): Pending<Value> {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<Omit<Pending<Value>, 'retry'>>({ isLoading: key !== undefined });
  // The newest closure, so that the effect depends on the key alone.
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === undefined) {
      setState({ isLoading: false });
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    setState(({ value }) => ({ value, isLoading: true }));
    latest
      .current(signal, (progress) => !signal.aborted && setState(({ value }) => ({ value, isLoading: true, progress })))
      .then(
        (value) => !signal.aborted && setState({ value, isLoading: false }),
        (error: Error) => !signal.aborted && setState(({ value }) => ({ value, isLoading: false, error })),
      );
    return () => controller.abort();
  }, [key, attempt]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { ...state, retry };
}
