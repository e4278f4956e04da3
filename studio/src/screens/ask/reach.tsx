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
          <Peaks found={found} width={width} most={most} />
        </svg>
      )}
    </div>
  );
}

/** Room that the name of a peak needs, in pixels. */
const NAME = 66;

/** The names of the highest points: the start's at its left, the end's at its right, so that they do not meet. */
function Peaks({ found: { starts, ends }, width, most }: { found: AskOutput; width: number; most: number }) {
  const t = useWords(ASK_WORDS);
  const peaks = [
    { side: 'start', name: t.start, ...peakOf(starts, width) },
    { side: 'end', name: t.end, ...peakOf(ends, width) },
  ].map((peak) => ({ ...peak, isLeft: peak.side === 'start' ? peak.x > NAME : peak.x > width - NAME }));
  const [start, end] = peaks;
  // At an edge of the text both stand on one side: then one above the other.
  const isStacked = start.isLeft === end.isLeft && Math.abs(start.x - end.x) < NAME;
  return (
    <>
      {peaks
        // A text without an answer has many low peaks, and none that deserves a name.
        .filter(({ value }) => value >= 0.05)
        .map(({ side, name, value, x, isLeft }) => (
          <text
            key={side}
            class={`ask-peak ask-peak-${side}`}
            x={isLeft ? x - 7 : x + 7}
            y={isStacked ? (side === 'start' ? 10 : 26) : AREA - (value / most) * (AREA - 12) + 4}
            text-anchor={isLeft ? 'end' : 'start'}
          >
            {name} {value.toFixed(2).replace(/^0/, '')}
          </text>
        ))}
    </>
  );
}

function peakOf(values: readonly number[], width: number): { readonly x: number; readonly value: number } {
  const value = Math.max(0, ...values);
  return { x: ((values.indexOf(value) + 0.5) / values.length) * width, value };
}
