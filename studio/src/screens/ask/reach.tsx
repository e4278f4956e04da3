/** Where a model looked: how probable each piece is as the answer's start and end, over the windows that it read. */
import type { AskOutput } from '../../../../src/studio/calls/explainAnswer.js';
import { useWords } from '../../app/words.js';
import { useWidth } from '../../components/useWidth.js';
import { areaPath, evenly, visibleRuns } from '../../figures/areas.js';
import { ribbons } from '../../figures/ribbons.js';
import { ASK_WORDS } from './words.js';

const AREA = 46;
const LANE = 11;
const GAP = 5;

export function Reach({ found, text }: { readonly found: AskOutput; readonly text: string }) {
  const t = useWords(ASK_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const { starts, ends, windows, offsets } = found;
  const bands = ribbons(windows, starts.length, width);
  const lanes = 1 + Math.max(...bands.map(({ lane }) => lane));
  const most = Math.max(0.1, ...starts, ...ends);
  const size = { ground: AREA, height: AREA - 12, most };
  const area = (values: readonly number[]) =>
    visibleRuns(evenly(values, width), most / 100)
      .map((run) => areaPath(run, size))
      .join('');
  const wordAt = (values: readonly number[]) => {
    const piece = values.indexOf(Math.max(...values));
    return text.slice(offsets[2 * piece], offsets[2 * piece + 1]);
  };
  const top = AREA + 10;
  return (
    <div ref={box} class="ask-reach">
      {width > 0 && (
        <svg
          width={width}
          height={top + lanes * (LANE + GAP)}
          role="img"
          aria-label={t.whereSpoken(windows.length, wordAt(starts), wordAt(ends))}
        >
          <path class="ask-area ask-area-start" d={area(starts)} />
          <path class="ask-area ask-area-end" d={area(ends)} />
          <path class="ask-ground" d={`M0 ${AREA}h${width}`} />
          {bands.map(({ lane, x, width: w, judgedX, judgedWidth }) => (
            <g key={x} transform={`translate(0 ${top + lane * (LANE + GAP)})`}>
              <rect class="ask-window" x={x} y="0" width={w} height={LANE} rx={LANE / 2} />
              <rect class="ask-judged" x={judgedX} y="0" width={judgedWidth} height={LANE} rx={LANE / 2} />
            </g>
          ))}
          <Peak values={starts} width={width} most={most} name={t.start} side="start" />
          <Peak values={ends} width={width} most={most} name={t.end} side="end" />
        </svg>
      )}
    </div>
  );
}

interface PeakProps {
  readonly values: readonly number[];
  readonly width: number;
  readonly most: number;
  readonly name: string;
  readonly side: 'start' | 'end';
}

/** The highest point's name: the start's at its left, the end's at its right, so that they do not meet. */
function Peak({ values, width, most, name, side }: PeakProps) {
  const piece = values.indexOf(Math.max(...values));
  // A text without an answer has many low peaks, and none that deserves a name.
  if (!(values[piece] >= 0.05)) return null;
  const x = ((piece + 0.5) / values.length) * width;
  const y = AREA - (values[piece] / most) * (AREA - 12);
  const isLeft = side === 'start' ? x > 60 : x > width - 60;
  return (
    <text
      class={`ask-peak ask-peak-${side}`}
      x={isLeft ? x - 7 : x + 7}
      y={y + 4}
      text-anchor={isLeft ? 'end' : 'start'}
    >
      {name} {values[piece].toFixed(2).replace(/^0/, '')}
    </text>
  );
}
