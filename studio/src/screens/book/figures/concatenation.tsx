/** [R; R; P] as three strips of numbers, and what the boundaries answer for each place. */
import type { SpanOutput } from '../../../../../src/studio/calls/predictSpan.js';
import { useWords } from '../../../app/words.js';
import { Bars } from '../../../components/bars.js';
import { Figure } from '../../../components/figure.js';
import { Slider } from '../../../components/slider.js';
import { useWidth } from '../../../components/useWidth.js';
import { boundaryCode } from '../../spanbert/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { useSpan } from '../useSpan.js';
import { BOOK_WORDS } from '../words.js';

const STRIP = 46;
const TOP = 24;
/** Of the position table, 200 wide, beside two vectors of 768 of a base model; drawn wider than it is, so that it can be read. */
const SHARES = [0.38, 0.38, 0.24];
const CELL = 9;

export function Concatenation({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const { screen, value } = useSpan(state);
  const { words, span, text } = screen;
  const length = span.last - span.first + 1;
  const place = Math.round(numberIn(state.place, 1, 10) ?? Math.min(2, length));
  const offsets = { start: words[span.first].start, end: words[span.last].end };
  const said = value?.places?.[place - 1]?.candidates ?? [];
  const strips = [
    { name: 'R', at: span.first, word: words[span.first - 1]?.text ?? '[CLS]', look: 'edge', seed: span.first },
    { name: 'R', at: span.last + 2, word: words[span.last + 1]?.text ?? '[SEP]', look: 'edge', seed: span.last + 2 },
    { name: 'P', at: place, word: '', look: 'place', seed: 40 + place },
  ];
  const spoken = strips.map(({ name, at, word }) => `${name}${at} ${word}`).join(', ');
  return (
    <Figure
      title={t.concatenation}
      name="book-concatenation"
      note={t.concatenationNote}
      data={{ text, span, place, candidates: said }}
      code={boundaryCode('run/', text, offsets, place)}
      tour="figure"
    >
      <div ref={box}>
        {width > 0 && (
          <svg width={width} height={TOP + STRIP + 6} role="img" aria-label={spoken}>
            {strips.map(({ name, at, word, look, seed }, i) => {
              const x = SHARES.slice(0, i).reduce((sum, share) => sum + share, 0) * width;
              const wide = SHARES[i] * width - 6;
              const cells = Math.floor(wide / CELL);
              return (
                <g key={i} class={`book-strip book-strip-${look}`}>
                  <text x={x} y="14">
                    <tspan class="book-vector">{name}</tspan>
                    <tspan class="book-index" dy="4">
                      {at}
                    </tspan>
                    {word && (
                      <tspan class="book-axis" dx="8" dy="-4">
                        {word}
                      </tspan>
                    )}
                  </text>
                  {Array.from({ length: cells }, (_, cell) => (
                    <rect
                      key={cell}
                      x={x + (cell * wide) / cells}
                      y={TOP}
                      width={wide / cells - 1.5}
                      height={STRIP}
                      rx="2"
                      opacity={shade(seed, cell)}
                    />
                  ))}
                </g>
              );
            })}
          </svg>
        )}
      </div>
      <Slider
        label={t.place}
        value={place}
        min={1}
        max={10}
        step={1}
        marks={Array.from({ length }, (_, i) => i + 1)}
        text={`P${place}`}
        onInput={(next) => {
          change({ place: `${next}` });
          did('place');
        }}
      />
      <p class="book-said" aria-live="polite">
        {answerText(t, value, place)}
      </p>
      {said.length > 0 && (
        <Bars
          bars={said.map(({ token, score }) => ({ label: token, value: score }))}
          tone="teal"
          label={t.concatenation}
        />
      )}
    </Figure>
  );
}

function answerText(
  t: { says(place: number, word: string): string; readonly noHead: string },
  value: SpanOutput | undefined,
  place: number,
): string {
  if (!value) return '';
  const best = value.places?.[place - 1]?.candidates[0];
  return best ? t.says(place, best.token) : t.noHead;
}

/** How a number of a vector is shaded: a pattern of its own for each vector, since the numbers themselves say nothing to an eye. */
function shade(seed: number, cell: number): number {
  const x = Math.sin(seed * 12.9898 + cell * 78.233) * 43758.5453;
  return 0.18 + 0.8 * (x - Math.floor(x));
}
