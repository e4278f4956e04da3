/** The rounds of a game: the first lie in the page, the others are asked of the models, one ahead of the reader. */
import { useEffect } from 'preact/hooks';
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import { useLanguage } from '../../app/words.js';
import type { Backend, Progress } from '../../backend/backend.js';
import { useBackend } from '../../backend/backend.js';
import { pairFor } from '../../backend/pickModel.js';
import { type Pending, usePending } from '../../backend/useCall.js';
import { BUILT } from './builtRounds.js';
import { ROUNDS, requestOf } from './game.js';

export class NoModel extends Error {}

export interface Round extends SpotRound {
  /** Whether it was computed when the page was built. */
  readonly isBuilt: boolean;
}

/** Answers by request: what was fetched ahead is there when the reader comes to it. */
const known = new Map<string, Promise<SpotRound>>();

export function useRound(game: number, round: number): Pending<Round> {
  const backend = useBackend();
  const language = useLanguage();
  const ask = (number: number, onProgress?: (progress: Progress) => void): Promise<Round> => {
    const built = game === 1 ? BUILT[language][number] : undefined;
    if (built) return Promise.resolve({ ...built, isBuilt: true });
    const key = `${language} ${game} ${number}`;
    const asked = known.get(key) ?? liveRound(backend, language, requestOf(language, game, number), onProgress);
    known.set(key, asked);
    // What failed may be asked for again.
    asked.catch(() => known.delete(key));
    return asked.then((live) => ({ ...live, isBuilt: false }));
  };
  // The reader reads a round for some seconds, in which the next one is made. The first live one has engine and model loaded.
  const ahead = game === 1 ? Math.max(round + 1, BUILT[language].length) : round + 1;
  useEffect(() => {
    if (ahead < ROUNDS) ask(ahead).catch(() => {});
  }, [ahead, game, language]);
  return usePending(`${language} ${game} ${round}`, (_, onProgress) => ask(round, onProgress));
}

async function liveRound(
  backend: Backend,
  language: 'en' | 'ko',
  request: { text: string; seed: number },
  onProgress?: (progress: Progress) => void,
): Promise<SpotRound> {
  const pair = pairFor(await backend.models(), language);
  if (!pair) throw new NoModel();
  return backend.call('spot-round', { model: pair.id, ...request }, { onProgress });
}
