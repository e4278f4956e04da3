/** The ROC curve of the discriminator's doubts over many corruptions of this text. */
import type { StateChanges } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { useCall } from '../../backend/useCall.js';
import { Figure } from '../../components/figure.js';
import { Slider } from '../../components/slider.js';
import { ErrorState, LoadingState } from '../../components/states.js';
import { useWidth } from '../../components/useWidth.js';
import { atThreshold, type Roc, rocCurve } from '../../figures/roc.js';
import { rocCode } from './code.js';
import type { ElectraState } from './state.js';
import { WORDS } from './words.js';

interface RocFigureProps {
  readonly model: string;
  readonly state: ElectraState;
  change(changes: StateChanges): void;
}

const CORRUPTIONS = 16;

export function RocFigure({ model, state, change }: RocFigureProps) {
  const t = useWords(WORDS);
  const { text, temperature, threshold } = state;
  // After the rows, and not at every notch of the temperature: it runs both models many times.
  const asked = { model, text, fraction: 0.15, temperature, corruptions: CORRUPTIONS, seed: 1 };
  const { value, error, retry } = useCall('corruption-scores', asked, 250);
  const frame = { title: t.roc, name: 'roc', code: rocCode(model, text, CORRUPTIONS) };
  if (!value) {
    return (
      <Figure {...frame} data={[]}>
        {error ? <ErrorState error={error} retry={retry} /> : <LoadingState />}
      </Figure>
    );
  }
  const roc = rocCurve(value.doubts, value.labels);
  const point = roc && atThreshold(roc, threshold);
  const percent = (share: number) => Math.round(share * 100);
  const again = percent(value.drawnAgain / Math.max(1, value.masked));
  return (
    <Figure {...frame} note={t.rocNote(CORRUPTIONS, again)} data={{ auc: roc?.area, points: roc?.points, ...value }}>
      {roc && point ? (
        <>
          <Curve roc={roc} point={point} />
          <Slider
            label={t.threshold}
            value={threshold}
            min={0}
            max={1}
            step={0.01}
            marks={[0.5]}
            text={threshold.toFixed(2)}
            onInput={(next) => change({ threshold: next === 0.5 ? undefined : `${next}` })}
          />
          <p class="electra-rule">{t.rocAt(percent(point.found), percent(point.falseAlarms))}</p>
        </>
      ) : (
        <p class="electra-rule">{t.rocEmpty}</p>
      )}
    </Figure>
  );
}

const LEFT = 30;
const BOTTOM = 30;

function Curve({ roc, point }: { readonly roc: Roc; readonly point: { falseAlarms: number; found: number } }) {
  const t = useWords(WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const size = Math.min(width - LEFT - 8, 230);
  const x = (share: number) => LEFT + share * size;
  const y = (share: number) => 8 + (1 - share) * size;
  const path = roc.points.map(({ falseAlarms, found }) => `${x(falseAlarms)},${y(found)}`).join(' ');
  return (
    <div ref={box} class="roc">
      {size > 0 && (
        <svg width={LEFT + size + 8} height={size + 8 + BOTTOM} role="img" aria-label={t.area(roc.area.toFixed(2))}>
          <rect class="roc-frame" x={LEFT} y={8} width={size} height={size} />
          <line class="roc-chance" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
          <polygon class="roc-area" points={`${x(0)},${y(0)} ${path} ${x(1)},${y(0)}`} />
          <polyline class="roc-line" points={path} />
          <circle class="roc-point" cx={x(point.falseAlarms)} cy={y(point.found)} r="6" />
          <text class="roc-auc" x={x(1) - 12} y={y(0) - 14} text-anchor="end">
            {t.area(roc.area.toFixed(2))}
          </text>
          <text class="roc-axis" x={x(0.5)} y={y(0) + 22} text-anchor="middle">
            {`${t.falseAlarms} →`}
          </text>
          <text class="roc-axis" transform={`translate(${LEFT - 12} ${y(0.5)}) rotate(-90)`} text-anchor="middle">
            {`${t.foundShare} →`}
          </text>
        </svg>
      )}
    </div>
  );
}
