/** What moves the four rows: another draw, the temperature, and how much the models have read. */
import { useEffect, useState } from 'preact/hooks';
import type { StudioModelSummary } from '../../../../src/studio/studioCall.js';
import type { StateChanges } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { Slider } from '../../components/slider.js';
import type { ElectraState } from './state.js';
import { WORDS } from './words.js';

interface ControlsProps {
  readonly state: ElectraState;
  readonly pair: StudioModelSummary;
  readonly pairs: readonly StudioModelSummary[];
  /** The checkpoints that the time slider stands on, in order; the pair itself may be none of them. */
  readonly series: readonly StudioModelSummary[];
  change(changes: StateChanges): void;
  did(what: string): void;
}

export function Controls({ state, pair, pairs, series, change, did }: ControlsProps) {
  const t = useWords(WORDS);
  const { draw, temperature } = state;
  // One of each series, which the time slider goes through.
  const choices = pairs.filter(
    ({ series: name }, i) => name === undefined || pairs.findIndex((other) => other.series === name) === i,
  );
  return (
    <div class="electra-controls">
      <div class="electra-buttons">
        <button
          type="button"
          class="primary"
          data-tour="draw"
          onClick={() => change({ draw: `${draw === 'best' ? 1 : draw + 1}`, typed: undefined })}
        >
          {t.drawAgain}
        </button>
        <button
          type="button"
          class="secondary"
          aria-pressed={draw === 'best'}
          onClick={() => change({ draw: draw === 'best' ? undefined : 'best' })}
        >
          {t.best}
        </button>
      </div>
      <Slider
        label={t.temperature}
        value={temperature}
        min={0.1}
        max={3}
        step={0.1}
        marks={[1]}
        text={temperature.toFixed(1)}
        tour="temperature"
        onInput={(value) => change({ t: value === 1 ? undefined : `${value}` })}
      />
      {series.length > 1 && <TimeSlider series={series} pair={pair} change={change} did={did} />}
      {choices.length > 1 && (
        <label class="electra-model">
          {t.model}
          <select
            value={choices.find(({ id, series: name }) => id === pair.id || (name && name === pair.series))?.id}
            onChange={(event) => change({ model: event.currentTarget.value })}
          >
            {choices.map(({ id, series: name }) => (
              <option key={id} value={id}>
                {name ?? id}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

const STEP_MS = 1100;

function TimeSlider(props: Pick<ControlsProps, 'series' | 'pair' | 'change' | 'did'>) {
  const { series, pair, change, did } = props;
  const t = useWords(WORDS);
  const now = series.findIndex(({ id }) => id === pair.id);
  const [isPlaying, play] = useState(false);

  const next = isPlaying ? series[now + 1] : undefined;
  useEffect(() => {
    if (!isPlaying) return;
    if (!next) {
      play(false);
      return;
    }
    const timer = setTimeout(() => change({ model: next.id }), STEP_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, next, change]);

  return (
    <div class="electra-time" data-tour="time">
      {now >= 0 && (
        <Slider
          label={t.read}
          value={now}
          min={0}
          max={series.length - 1}
          step={1}
          marks={series.map((_, index) => index)}
          text={t.tokens(grouped(pair.tokensSeen ?? 0))}
          onInput={(index) => {
            play(false);
            change({ model: series[index].id });
            did('moved-time');
          }}
        />
      )}
      <button
        type="button"
        class="secondary"
        onClick={() => {
          if (!isPlaying) change({ model: series[0].id });
          play(!isPlaying);
          did('moved-time');
        }}
      >
        {isPlaying ? t.stop : now < 0 ? t.playOther : t.play}
      </button>
    </div>
  );
}

/** 98 k, 1.2 M: as many digits as one reads. */
export function grouped(count: number): string {
  if (count >= 999_500) return `${(count / 1e6).toFixed(count < 9.95e6 ? 1 : 0)} M`;
  return count >= 1000 ? `${Math.round(count / 1000)} k` : `${count}`;
}
