/** Bars with a name and a number: a distribution's first places. Drawn as SVG, so that a figure can be saved. */
import { shortProbability } from './tokens.js';
import { useWidth } from './useWidth.js';
import './bars.css';

export interface Bar {
  readonly label: string;
  /** 0 to 1. */
  readonly value: number;
  /** Drawn stronger, such as the one that was drawn. */
  readonly isMarked?: boolean;
  /** The original: drawn in its own colour, with a sign. */
  readonly isOriginal?: boolean;
}

const ROW = 30;
/** Bars are drawn to the largest, or to this where all are small: a flat distribution looks flat. */
const SMALLEST_SCALE = 0.05;

export function Bars({
  bars,
  tone,
  label,
}: {
  readonly bars: readonly Bar[];
  readonly tone: 'amber' | 'teal' | 'accent';
  readonly label: string;
}) {
  const [box, width] = useWidth<HTMLDivElement>();
  const labelWidth = Math.min(width * 0.36, 24 + 10 * Math.max(4, ...bars.map((bar) => [...bar.label].length)));
  const room = Math.max(0, width - labelWidth - 52);
  const largest = Math.max(SMALLEST_SCALE, ...bars.map(({ value }) => value));
  const length = (value: number) => Math.max(3, (room * value) / largest);
  return (
    <div ref={box} class="bars">
      {width > 0 && (
        <svg width={width} height={bars.length * ROW} role="img" aria-label={`${label}: ${spoken(bars)}`}>
          {bars.map(({ label: name, value, isMarked, isOriginal }, i) => (
            <g
              key={i}
              class="bars-row"
              data-marked={isMarked || undefined}
              data-original={isOriginal || undefined}
              transform={`translate(0 ${i * ROW})`}
            >
              <text class="bars-name" x="0" y={ROW / 2} dominant-baseline="central">
                {name}
              </text>
              <rect
                class={`bars-bar bars-${tone}`}
                x={labelWidth}
                y={ROW / 2 - 6}
                height="12"
                rx="6"
                width={length(value)}
              />
              <text class="bars-number" x={labelWidth + length(value) + 8} y={ROW / 2} dominant-baseline="central">
                {shortProbability(value)}
              </text>
            </g>
          ))}
        </svg>
      )}
    </div>
  );
}

const spoken = (bars: readonly Bar[]) => bars.map(({ label, value }) => `${label} ${value.toFixed(2)}`).join(', ');
