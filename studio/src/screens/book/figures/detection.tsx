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
  const [box, width] = useWidth<HTMLDivElement>();
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
        const frame: Frame = { width, height: HEIGHT, x: [-WIDEST, WIDEST], y: [-0.06, 1.08] };
        const spoken = words.map(({ text, doubt }) => `${text} ${doubt.toFixed(2)}`).join(', ');
        return (
          <Figure
            title={t.detection}
            name="book-sigmoid"
            note={t.detectionNote}
            data={words}
            code={stepCode(step.text, 0.15, 1, 1)}
            tour="figure"
          >
            <div ref={box}>
              {width > 0 && (
                <svg width={width} height={HEIGHT + 24} role="img" aria-label={t.detectionSpoken(spoken)}>
                  <path class="book-grid" d={`M0 ${toY(frame, 0.5)}H${width}M${toX(frame, 0)} 0V${HEIGHT}`} />
                  <path class="book-curve" d={curvePath(sigmoid, frame)} />
                  {placed(words, frame).map(({ word, x, y, labelY }, i) => (
                    <g key={i} class="book-point" data-drawn={word.isDrawn || undefined}>
                      <path class="book-lead" d={`M${x} ${y}L${x + 8} ${labelY}`} />
                      <circle cx={x} cy={y} r="5" />
                      <text x={x + 12} y={labelY} dominant-baseline="central">
                        {word.text}
                        <tspan class="book-axis" dx="6">
                          {word.doubt.toFixed(2)}
                        </tspan>
                      </text>
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
          </Figure>
        );
      }}
    </Waiting>
  );
}

interface Word {
  readonly text: string;
  readonly doubt: number;
  readonly z: number;
  readonly isDrawn: boolean;
}

/** Names that would lie on each other are moved apart, from the top down. */
function placed(words: readonly Word[], frame: Frame) {
  const atPoint = words.map((word) => ({
    word,
    x: toX(frame, Math.max(-WIDEST + 0.1, Math.min(WIDEST - 0.1, word.z))),
    y: toY(frame, word.doubt),
    labelY: 0,
  }));
  const taken: { x: number; y: number; width: number }[] = [];
  for (const point of [...atPoint].sort((a, b) => b.y - a.y)) {
    const room = textWidth(point.word.text, FONT) + 60;
    let y = point.y;
    const collides = () =>
      taken.some((other) => Math.abs(other.y - y) < 18 && other.x < point.x + room && point.x < other.x + other.width);
    while (y > 8 && collides()) y -= 6;
    taken.push({ x: point.x, y, width: room });
    point.labelY = y;
  }
  return atPoint;
}
