/** Drawing as the program does it: probabilities end to end from 0 to 1, and a number u that falls into one of them. */
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { Slider } from '../../../components/slider.js';
import { useWidth } from '../../../components/useWidth.js';
import { textWidth } from '../../../figures/lines.js';
import { stackedSegments } from '../../../figures/stack.js';
import { fillCode } from '../../electra/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { Waiting } from '../stepState.js';
import { useStep } from '../useStep.js';
import { BOOK_WORDS } from '../words.js';

const BAR = 44;
const TOP = 30;
const FONT = 14;

export function Drawing({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const u = numberIn(state.u, 0, 0.999) ?? 0.08;
  const step = useStep(state, { top: 40 });
  return (
    <Waiting of={step} hasModel={step.hasPair}>
      {({ tokens, places }) => {
        const place = places[0];
        const original = tokens[place?.index ?? 0].piece;
        const known = (place?.candidates ?? []).map(({ piece, probability }) => ({ text: piece, value: probability }));
        const rest = 1 - known.reduce((sum, { value }) => sum + value, 0);
        const parts = [...known, { text: t.rest, value: Math.max(0, rest) }];
        const drawn = drawnPart(parts, u);
        const word = parts[drawn].text;
        const said = t.drawn(u.toFixed(3), word);
        return (
          <Figure
            title={t.drawing}
            name="book-drawing"
            note={word === original ? `${said}. ${t.drawnOriginal}` : said}
            data={{ u, word, original, candidates: known }}
            code={fillCode(step.model, step.maskedText, 40)}
            tour="figure"
          >
            <Line u={u} parts={parts} drawn={drawn} original={original} label={said} />
            <Slider
              label="u"
              value={u}
              min={0}
              max={0.999}
              step={0.001}
              text={u.toFixed(3)}
              onInput={(value) => {
                change({ u: value.toFixed(3) });
                did('drew');
              }}
            />
          </Figure>
        );
      }}
    </Waiting>
  );
}

interface Part {
  readonly text: string;
  readonly value: number;
}

/** The first part at which the probabilities before it and its own add up to more than u. */
function drawnPart(parts: readonly Part[], u: number): number {
  let sum = 0;
  const found = parts.findIndex(({ value }) => {
    sum += value;
    return u < sum;
  });
  return found < 0 ? parts.length - 1 : found;
}

interface LineProps {
  readonly u: number;
  readonly parts: readonly Part[];
  /** Number of the part that u falls into. */
  readonly drawn: number;
  readonly original: string;
  readonly label: string;
}

function Line({ u, parts, drawn, original, label }: LineProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const segments = stackedSegments(parts, width);
  return (
    <div ref={box}>
      {width > 0 && (
        <svg width={width} height={TOP + BAR + 26} role="img" aria-label={label}>
          {segments.map((segment, i) => {
            const { part, x, width: w } = segment;
            return (
              <g
                key={part.text}
                class="book-draw"
                data-drawn={i === drawn || undefined}
                data-original={part.text === original || undefined}
                data-rest={i === segments.length - 1 || undefined}
              >
                <rect x={x} y={TOP} width={Math.max(0.5, w - 1)} height={BAR} rx={w > 16 ? 4 : 0} />
                {textWidth(part.text, FONT) + 8 < w && (
                  <text x={x + w / 2} y={TOP + BAR / 2} text-anchor="middle" dominant-baseline="central">
                    {part.text}
                  </text>
                )}
              </g>
            );
          })}
          <path class="book-needle" d={`M${u * width} ${TOP - 8}v${BAR + 16}`} />
          <text class="book-needle-text" x={Math.min(width - 50, Math.max(10, u * width))} y={14} text-anchor="middle">
            {`u = ${u.toFixed(2)}`}
          </text>
          <text class="book-axis" x="0" y={TOP + BAR + 20}>
            0
          </text>
          <text class="book-axis" x={width} y={TOP + BAR + 20} text-anchor="end">
            1
          </text>
        </svg>
      )}
    </div>
  );
}
