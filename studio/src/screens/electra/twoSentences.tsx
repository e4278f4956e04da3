/** The same gap in two sentences: every piece as a dot by its two probabilities. */
import type { ComparedPiece } from '../../../../src/studio/calls/gapComparison.js';
import type { StateChanges } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { useCall } from '../../backend/useCall.js';
import { Figure } from '../../components/figure.js';
import { ErrorState, LoadingState } from '../../components/states.js';
import { TextField } from '../../components/textField.js';
import { useWidth } from '../../components/useWidth.js';
import { textWidth } from '../../figures/lines.js';
import { type LogScale, logScale, onScale, placeLabels } from '../../figures/logScatter.js';
import { twoCode } from './code.js';
import type { ElectraState } from './state.js';
import { WORDS } from './words.js';

interface TwoSentencesProps {
  readonly model: string;
  readonly state: ElectraState;
  change(changes: StateChanges): void;
}

const COUNT = 120;

export function TwoSentences({ model, state, change }: TwoSentencesProps) {
  const t = useWords(WORDS);
  const { first, second } = state;
  const { value, error, retry } = useCall(
    'gap-comparison',
    { model, role: 'generator', first, second, count: COUNT },
    120,
  );
  return (
    <Figure
      title={t.two}
      name="two-sentences"
      note={t.twoNote}
      data={value?.pieces ?? []}
      code={twoCode(model, first, second)}
    >
      <div class="electra-compared">
        <div>
          <GapField label={t.first} value={first} change={(text) => change({ first: text })} />
          <GapField label={t.second} value={second} change={(text) => change({ second: text })} />
          {error ? (
            <ErrorState error={error} retry={retry} />
          ) : value ? (
            <Extremes pieces={value.pieces} />
          ) : (
            <LoadingState />
          )}
        </div>
        {value && !error && <Scatter pieces={value.pieces} />}
      </div>
    </Figure>
  );
}

function GapField(props: { readonly label: string; readonly value: string; change(text: string): void }) {
  return (
    <div class="electra-gap">
      <TextField {...props} />
    </div>
  );
}

/** By how much the sentences disagree about a piece. */
const difference = ({ first, second }: ComparedPiece) => first - second;

/** What each sentence likes better, among what either holds likely. */
function Extremes({ pieces }: { readonly pieces: readonly ComparedPiece[] }) {
  const t = useWords(WORDS);
  const sorted = [...pieces].sort((a, b) => difference(b) - difference(a));
  const lists = [
    [t.inFirst, sorted.slice(0, 5)],
    [t.inSecond, sorted.slice(-5).reverse()],
  ] as const;
  return (
    <dl class="electra-extremes">
      {lists.map(([name, found]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{found.map(({ piece }) => piece).join(', ')}</dd>
        </div>
      ))}
    </dl>
  );
}

const MARGIN = { left: 54, right: 22, top: 8, bottom: 34 };

function Scatter({ pieces }: { readonly pieces: readonly ComparedPiece[] }) {
  const t = useWords(WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const size = Math.min(width - MARGIN.left - MARGIN.right, 440);
  const scale = logScale(pieces.flatMap(({ first, second }) => [first, second]));
  const x = (value: number) => MARGIN.left + onScale(value, scale) * size;
  const y = (value: number) => MARGIN.top + (1 - onScale(value, scale)) * size;
  const points = pieces.map(({ piece, first, second }) => ({ x: x(first), y: y(second), text: piece }));
  // Names first for what is likely and disputed.
  const weight = ({ first, second }: ComparedPiece) => Math.max(first, second) + 0.6 * Math.abs(first - second);
  const order = [...pieces.keys()].sort((a, b) => weight(pieces[b]) - weight(pieces[a]));
  const right = MARGIN.left + size;
  const labels = placeLabels(points, order, { right, most: 22, widthOf: (text) => textWidth(text, 13) });
  return (
    <div ref={box}>
      {size > 0 && (
        <svg
          class="scatter"
          width={right + MARGIN.right}
          height={MARGIN.top + size + MARGIN.bottom}
          role="img"
          aria-label={t.scatter(pieces.length)}
        >
          <rect class="roc-frame" x={MARGIN.left} y={MARGIN.top} width={size} height={size} />
          <line class="roc-chance" x1={MARGIN.left} y1={MARGIN.top + size} x2={right} y2={MARGIN.top} />
          {powersOf(scale).map((power) => {
            const value = power * Math.LN10;
            return (
              <g key={power} class="scatter-tick">
                <text x={x(value)} y={MARGIN.top + size + 16} text-anchor="middle">
                  {percentText(power)}
                </text>
                <text x={MARGIN.left - 6} y={y(value)} text-anchor="end" dominant-baseline="central">
                  {percentText(power)}
                </text>
              </g>
            );
          })}
          <text class="scatter-axis scatter-axis-first" x={right - 10} y={MARGIN.top + size - 12} text-anchor="end">
            {`${t.fitsFirst} →`}
          </text>
          <text class="scatter-axis scatter-axis-second" x={MARGIN.left + 10} y={MARGIN.top + 20}>
            {`↑ ${t.fitsSecond}`}
          </text>
          {points.map((point, i) => (
            <circle
              key={point.text}
              class={difference(pieces[i]) > 0 ? 'scatter-first' : 'scatter-second'}
              cx={point.x}
              cy={point.y}
              r="3.5"
            >
              <title>{point.text}</title>
            </circle>
          ))}
          {labels.map((label) => (
            <text key={label.index} class="scatter-name" x={label.x} y={label.y} dominant-baseline="central">
              {points[label.index].text}
            </text>
          ))}
        </svg>
      )}
    </div>
  );
}

const powersOf = ({ low, high }: LogScale) => Array.from({ length: high - low + 1 }, (_, i) => low + i);

/** 10^−3 is 0.1 %. */
function percentText(power: number): string {
  return power >= -2 ? `${10 ** (power + 2)} %` : `${(10 ** (power + 2)).toFixed(-power - 2)} %`;
}
