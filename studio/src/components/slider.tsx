/** A range with its name and its value beside it; marks show where it may rest. */
import './slider.css';

export interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The value in words, which a screen reader says too. */
  readonly text: string;
  /** Values at which a mark is drawn. */
  readonly marks?: readonly number[];
  readonly disabled?: boolean;
  /** `data-tour` of the whole. */
  readonly tour?: string;
  onInput(value: number): void;
}

export function Slider({ label, value, min, max, step, text, marks = [], disabled, tour, onInput }: SliderProps) {
  const share = (at: number) => (max === min ? 0 : (at - min) / (max - min));
  return (
    <label class="slider" data-tour={tour}>
      <span class="slider-label">{label}</span>
      <span class="slider-track" style={{ '--share': share(value) }}>
        {marks.map((mark) => (
          <i key={mark} style={{ '--at': share(mark) }} />
        ))}
        <input
          type="range"
          min={min}
          max={max}
          step={step}
          value={value}
          disabled={disabled}
          aria-valuetext={text}
          onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
        />
      </span>
      <output class="slider-value">{text}</output>
    </label>
  );
}
