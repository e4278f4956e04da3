/** The doubt of every word of a text as a row of bars, and the threshold over it. */
import type { DoubtedWord } from '../../../../src/studio/calls/doubtWords.js';
import { useWords } from '../../app/words.js';
import { useWidth } from '../../components/useWidth.js';
import { PROOFREAD_WORDS } from './words.js';

const HEIGHT = 90;

interface StripProps {
  readonly text: string;
  readonly words: readonly DoubtedWord[];
  readonly threshold: number;
}

export function Strip({ text, words, threshold }: StripProps) {
  const t = useWords(PROOFREAD_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const room = width / Math.max(1, words.length);
  const most = words.reduce((best, word) => (word.doubt > best.doubt ? word : best), words[0]);
  return (
    <div ref={box} class="proof-strip">
      {width > 0 && most && (
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={t.stripSpoken(words.length, text.slice(most.start, most.end))}
        >
          {words.map(({ start, doubt }, i) => (
            <rect
              key={start}
              class="proof-bar"
              data-marked={doubt >= threshold || undefined}
              x={i * room}
              y={HEIGHT * (1 - doubt)}
              width={Math.max(1, room * 0.7)}
              height={HEIGHT * doubt}
              rx={Math.min(2, room / 3)}
            />
          ))}
          <path class="proof-line" d={`M0 ${HEIGHT * (1 - threshold)}h${width}`} />
        </svg>
      )}
    </div>
  );
}
