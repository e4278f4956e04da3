/** The four rows as one SVG, for saving. */
import type { ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import { textWidth } from '../../figures/lines.js';
import { wordOf } from './rows.js';

const LABEL = 110;
const ROW = 46;

export function RowsDrawing({ step, names }: { readonly step: ElectraStep; readonly names: readonly string[] }) {
  const { tokens, corrupted, places } = step;
  const gaps = new Set(places.map(({ index }) => index));
  const widths = tokens.map(({ piece }, index) =>
    Math.max(gaps.has(index) ? 66 : 0, 22 + textWidth(piece, 17), 22 + textWidth(wordOf(corrupted[index]), 17)),
  );
  const lefts = widths.map((_, index) => LABEL + widths.slice(0, index).reduce((sum, width) => sum + width + 6, 0));
  const total = LABEL + widths.reduce((sum, width) => sum + width + 6, 0);
  const cell = (index: number, row: number, text: string, look: string, fill?: { heat: number }) => (
    <g key={`${row} ${index}`}>
      {(look !== 'plain' || fill) && (
        <rect
          class={`drawn-${look}`}
          x={lefts[index]}
          y={row * ROW + 4}
          width={widths[index]}
          height={ROW - 10}
          rx="8"
          {...(fill && { 'fill-opacity': fill.heat * 0.4 })}
        />
      )}
      <text class={`drawn-text drawn-text-${look}`} x={lefts[index] + widths[index] / 2} y={row * ROW + ROW / 2}>
        {text}
      </text>
    </g>
  );
  return (
    <svg width={total} height={4 * ROW + 14} role="img" aria-label={names.join(', ')}>
      {names.map((name, row) => (
        <text key={name} class="drawn-name" x="0" y={row * ROW + ROW / 2}>
          {name}
        </text>
      ))}
      {tokens.flatMap(({ piece }, index) => {
        const word = corrupted[index];
        return [
          cell(index, 0, piece, 'plain'),
          cell(index, 1, gaps.has(index) ? '[MASK]' : piece, gaps.has(index) ? 'mask' : 'plain'),
          cell(index, 2, wordOf(word), word.kind === 'kept' ? 'plain' : word.kind === 'same' ? 'same' : 'drawn'),
          cell(index, 3, wordOf(word), 'heat', { heat: word.doubt }),
          <text key={`n${index}`} class="drawn-number" x={lefts[index] + widths[index] / 2} y={4 * ROW + 6}>
            {word.doubt.toFixed(2)}
          </text>,
        ];
      })}
    </svg>
  );
}
