/** A screen whose code is loaded when it is first opened, so that the landing page stays small. */
import type { FunctionComponent } from 'preact';
import { usePending } from '../backend/useCall.js';
import { ErrorState, LoadingState } from './states.js';

export function lazily<Props extends object>(load: () => Promise<FunctionComponent<Props>>): FunctionComponent<Props> {
  let Loaded: FunctionComponent<Props> | undefined;
  return function Lazy(props) {
    const { error, retry } = usePending(Loaded ? undefined : 'screen', async () => {
      Loaded = await load();
    });
    if (Loaded) return <Loaded {...props} />;
    return error ? <ErrorState error={error} retry={retry} /> : <LoadingState />;
  };
}
