/** Screen "Spot the fake": reader and discriminator mark what a generator replaced, over ten sentences. */
import { useState } from 'preact/hooks';
import { useWords } from '../../app/words.js';
import type { ScreenProps } from '../screen.js';
import { parsePlayed, playedText, ROUNDS } from './game.js';
import { Play } from './play.js';
import { Result } from './result.js';
import { WORDS } from './words.js';
import './spot.css';

export function Screen({ state, change, did }: ScreenProps) {
  const t = useWords(WORDS);
  const played = parsePlayed(state.played);
  const game = /^[1-9]\d{0,3}$/.test(state.game ?? '') ? Number(state.game) : 1;
  // Who opens the address of a result sees another's; who came to it by playing, his own.
  const [isOwn, setOwn] = useState(false);
  const begin = (next: number) => {
    setOwn(false);
    change({ played: undefined, game: next === 1 ? undefined : `${next}` });
  };
  return (
    <div class="spot">
      <h1 class="visually-hidden">{t.title}</h1>
      {played.length < ROUNDS ? (
        <Play
          key={`${game} ${played.length}`}
          game={game}
          played={played}
          did={did}
          finish={(round) => {
            setOwn(true);
            change({ played: playedText([...played, round]) });
          }}
        />
      ) : (
        <Result rounds={played} isOwn={isOwn} repeat={() => begin(game)} another={() => begin(game + 1)} />
      )}
    </div>
  );
}
