/** The words of a corrupted sentence on the sigmoid: z to the right, doubt upwards. */
import { sigmoid } from '../../../../../src/pipelines/probabilities.js';
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { useWidth } from '../../../components/useWidth.js';
import { textWidth } from '../../../figures/lines.js';
import { stepCode } from '../../electra/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { Waiting } from '../stepState.js';
import { useStep } from '../useStep.js';
import { BOOK_WORDS } from '../words.js';
import { curvePath, type Frame, toX, toY } from './curve.js';

const HEIGHT = 260;
const FONT = 14;
/** Beyond, the sigmoid is flat. */
const WIDEST = 6;

export function Detection({ state }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const step = useStep(state);
  return (
    <Waiting of={step} hasModel={step.hasPair}>
      {({ corrupted, tokens }) => {
        const words = corrupted.map(({ pieces, doubt, kind }, i) => ({
          text: kind === 'kept' ? tokens[i].piece : pieces.join(''),
          doubt,
          z: Math.log(doubt / (1 - doubt)),
          isDrawn: kind === 'drawn' || kind === 'typed',
        }));
        const spoken = words.map(({ text, doubt }) => `${text} ${doubt.toFixed(2)}`).join(', ');
        return (
          <Figure
            title={t.detection}
            name="book-sigmoid"
            note={t.detectionNote}
            data={words}
            code={stepCode(step.model, step.text, { temperature: 1, seed: 1 })}
            tour="figure"
          >
            <Points words={words} label={t.detectionSpoken(spoken)} />
          </Figure>
        );
      }}
    </Waiting>
  );
}

function Points({ words, label }: { readonly words: readonly Word[]; readonly label: string }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const frame: Frame = { width, height: HEIGHT, x: [-WIDEST, WIDEST], y: [-0.06, 1.08] };
  return (
    <div ref={box}>
      {width > 0 && (
        <svg width={width} height={HEIGHT + 24} role="img" aria-label={label}>
          <path class="book-grid" d={`M0 ${toY(frame, 0.5)}H${width}M${toX(frame, 0)} 0V${HEIGHT}`} />
          <path class="book-curve" d={curvePath(sigmoid, frame)} />
          {placed(words, frame).map(({ word, x, y, label: at }, i) => (
            <g key={i} class="book-point" data-drawn={word.isDrawn || undefined}>
              <circle cx={x} cy={y} r="5">
                <title>{`${word.text} ${word.doubt.toFixed(2)}`}</title>
              </circle>
              {at && (
                <>
                  <path class="book-lead" d={`M${x} ${y}L${at.x + (at.anchor === 'end' ? 5 : -5)} ${at.y}`} />
                  <text x={at.x} y={at.y} text-anchor={at.anchor} dominant-baseline="central">
                    {word.text}
                    <tspan class="book-axis" dx="6">
                      {word.doubt.toFixed(2)}
                    </tspan>
                  </text>
                </>
              )}
            </g>
          ))}
          <text class="book-axis" x={width} y={HEIGHT + 18} text-anchor="end">
            z
          </text>
          <text class="book-axis" x={toX(frame, 0)} y={HEIGHT + 18} text-anchor="middle">
            0
          </text>
        </svg>
      )}
    </div>
  );
}

interface Word {
  readonly text: string;
  readonly doubt: number;
  readonly z: number;
  readonly isDrawn: boolean;
}

/** More names than these would hide the curve; the others have theirs in a hint. */
const NAMED = 7;

/** Names stand where the curve leaves room: below it on its high end, above it on its low end, one line each. */
function placed(words: readonly Word[], frame: Frame) {
  const order = [...words.keys()].sort((a, b) => weight(words[b]) - weight(words[a]));
  const named = order.slice(0, NAMED).sort((a, b) => words[b].doubt - words[a].doubt);
  const points = words.map((word) => ({
    word,
    x: toX(frame, Math.max(-WIDEST + 0.1, Math.min(WIDEST - 0.1, word.z))),
    y: toY(frame, word.doubt),
  }));
  const labels = new Map<number, { x: number; y: number; anchor: 'start' | 'end' }>();
  let floor = Number.NEGATIVE_INFINITY;
  for (const index of named.filter((each) => words[each].doubt >= 0.5)) {
    const { x, y } = points[index];
    floor = Math.max(floor + LINE, y + 12);
    labels.set(index, { x: x + 22, y: floor, anchor: 'start' });
  }
  let ceiling = Number.POSITIVE_INFINITY;
  for (const index of named.filter((each) => words[each].doubt < 0.5).reverse()) {
    const { x, y } = points[index];
    ceiling = Math.min(ceiling - LINE, y - 12);
    // A long word near the edge of a narrow page keeps all of its letters.
    const room = textWidth(words[index].text, FONT) + 52;
    labels.set(index, { x: Math.max(x - 22, room), y: ceiling, anchor: 'end' });
  }
  return points.map((point, index) => ({ ...point, label: labels.get(index) }));
}

const LINE = 19;

/** Words that were drawn are named first, then the most doubted. */
const weight = ({ isDrawn, doubt }: Word) => doubt + (isDrawn ? 1 : 0);
