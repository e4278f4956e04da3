/** −ln P of every hidden word from both heads. */
import type { SpanOutput } from '../../../../../src/studio/calls/predictSpan.js';
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { useWidth } from '../../../components/useWidth.js';
import { textWidth } from '../../../figures/lines.js';
import { boundaryCode } from '../../spanbert/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { Waiting } from '../stepState.js';
import { useSpan } from '../useSpan.js';
import { BOOK_WORDS } from '../words.js';

const BAR = 16;
const ROW = 2 * BAR + 22;
const FONT = 15;

export function SpanLosses({ state }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const span = useSpan(state);
  const { text } = span.screen;
  return (
    <Waiting of={span} hasModel={span.hasModel}>
      {(value) => (
        <Figure
          title={t.spanLosses}
          name="book-span-losses"
          note={t.spanLossesNote}
          data={lossesOf(value)}
          code={boundaryCode('run/', text, value, 1)}
          tour="figure"
        >
          <LossBars losses={lossesOf(value)} names={[t.mlm, t.sbo]} label={t.spanLosses} />
          {!value.places && <p class="book-said">{t.noHead}</p>}
        </Figure>
      )}
    </Waiting>
  );
}

interface WordLosses {
  readonly token: string;
  readonly mlm: number;
  /** Absent where there is no span boundary head. */
  readonly sbo?: number;
}

const nats = (probability: number) => -Math.log(Math.max(probability, 1e-30));

function lossesOf({ masked, places }: SpanOutput): WordLosses[] {
  return masked.map(({ token, score }, i) => {
    const own = places?.[i]?.scores[i];
    return { token, mlm: nats(score), ...(own !== undefined && { sbo: nats(own) }) };
  });
}

function LossBars({
  losses,
  names,
  label,
}: {
  readonly losses: readonly WordLosses[];
  readonly names: readonly [string, string];
  readonly label: string;
}) {
  const [box, width] = useWidth<HTMLDivElement>();
  const room = Math.max(40, ...losses.map(({ token }) => textWidth(token, FONT))) + 18;
  const most = Math.max(1, ...losses.flatMap(({ mlm, sbo = 0 }) => [mlm, sbo]));
  const scale = (width - room - 56) / most;
  const spoken = losses.map(
    ({ token, mlm, sbo }) => `${token} ${mlm.toFixed(2)}${sbo === undefined ? '' : ` + ${sbo.toFixed(2)}`}`,
  );
  return (
    <div ref={box}>
      <p class="book-legend">
        <span data-tone="accent">{names[0]}</span>
        <span data-tone="teal">{names[1]}</span>
      </p>
      {width > 0 && (
        <svg width={width} height={losses.length * ROW} role="img" aria-label={`${label}: ${spoken.join(', ')}`}>
          {losses.map(({ token, mlm, sbo }, i) => (
            <g key={i} transform={`translate(0 ${i * ROW})`}>
              <text class="book-name" x="0" y={BAR + 4} dominant-baseline="central">
                {token}
              </text>
              {[mlm, sbo].map(
                (loss, row) =>
                  loss !== undefined && (
                    <g key={row}>
                      <rect
                        class={row === 0 ? 'book-discriminator' : 'book-teal'}
                        x={room}
                        y={row * (BAR + 3)}
                        width={Math.max(2, loss * scale)}
                        height={BAR}
                        rx="4"
                      />
                      <text
                        class="book-axis"
                        x={room + Math.max(2, loss * scale) + 7}
                        y={row * (BAR + 3) + BAR / 2}
                        dominant-baseline="central"
                      >
                        {loss.toFixed(2)}
                      </text>
                    </g>
                  ),
              )}
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}
