/** The choice between engines as a value of a component. */
import { useEffect, useState } from 'preact/hooks';
import { useBackend } from './backend.js';
import type { EngineChoice, EngineState } from './engineChoice.js';

const NONE: EngineState = {};

/** @returns the choice, undefined where a server computes, and what is known so far; looks for a graphics processor if `isLooking` */
export function useEngines(isLooking = true): [EngineChoice | undefined, EngineState] {
  const { engines } = useBackend();
  const [state, setState] = useState(engines?.state ?? NONE);
  useEffect(() => {
    if (!engines) return;
    if (isLooking) void engines.look();
    setState(engines.state);
    return engines.listen(() => setState(engines.state));
  }, [engines, isLooking]);
  return [engines, state];
}
