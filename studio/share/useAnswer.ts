/** One thing is asked at a time: a new one ends the one before. */
import { useRef, useState } from 'preact/hooks';

export interface Asked<Value> {
  readonly value?: Value;
  readonly error?: Error;
  readonly isRunning: boolean;
  run(work: (signal: AbortSignal) => Promise<Value>): void;
}

export function useAnswer<Value>(): Asked<Value> {
  const [state, setState] = useState<Omit<Asked<Value>, 'run'>>({ isRunning: false });
  const current = useRef<AbortController | undefined>(undefined);
  const run = (work: (signal: AbortSignal) => Promise<Value>) => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    setState(({ value }) => ({ value, isRunning: true }));
    work(controller.signal).then(
      (value) => controller.signal.aborted || setState({ value, isRunning: false }),
      (error: Error) => controller.signal.aborted || setState({ error, isRunning: false }),
    );
  };
  return { ...state, run };
}
