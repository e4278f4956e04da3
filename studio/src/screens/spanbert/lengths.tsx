/** The lengths of the spans thrown so far beside the law that they are drawn by. */
import { SPAN_LENGTH_LAW } from '../../../../src/studio/spanThrows.js';
import { useWords } from '../../app/words.js';
import { useWidth } from '../../components/useWidth.js';
import { histogram } from '../../figures/histogram.js';
import { SPANBERT_WORDS } from './words.js';

const HEIGHT = 132;
const AXIS = 26;

export function Lengths({ counts, last }: { readonly counts: readonly number[]; readonly last?: number }) {
  const t = useWords(SPANBERT_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const columns = histogram(counts, SPAN_LENGTH_LAW, { width, height: HEIGHT });
  const law = columns.map(({ x, width: w, lawY }) => `M${x - 3} ${lawY}h${w + 6}`).join('');
  return (
    <div ref={box} class="span-lengths">
      {width > 0 && (
        <svg width={width} height={HEIGHT + AXIS} role="img" aria-label={t.lengthsSpoken(counts.join(', '))}>
          {columns.map(({ x, y, width: w, height }, i) => (
            <g key={i} data-last={last === i + 1 || undefined}>
              <rect class="span-length" x={x} y={y} width={w} height={height} rx="3" />
              <text class="span-length-name" x={x + w / 2} y={HEIGHT + 18} text-anchor="middle">
                {i + 1}
              </text>
            </g>
          ))}
          <path class="span-law" d={law} />
        </svg>
      )}
    </div>
  );
}
