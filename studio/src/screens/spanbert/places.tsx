/** The scrubber of position embeddings: each place of a span with what the edges answer when they are asked for it. */
import { useId } from 'preact/hooks';
import { useWords } from '../../app/words.js';
import { SPANBERT_WORDS } from './words.js';

export interface PlacesProps {
  /** The most probable answer at each place, the first first. */
  readonly answers: readonly string[];
  /** Pieces of the span: places beyond are those of longer spans. */
  readonly length: number;
  /** From 1. */
  readonly value: number;
  onChange(place: number): void;
}

export function Places({ answers, length, value, onChange }: PlacesProps) {
  const t = useWords(SPANBERT_WORDS);
  const name = useId();
  return (
    <fieldset
      class="span-places"
      data-tour="places"
      // Held down, the pointer scrubs over the places.
      onPointerMove={(event) => {
        if (event.buttons !== 1) return;
        const at = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-place]');
        if (at && event.currentTarget.contains(at)) onChange(Number(at.dataset.place));
      }}
    >
      <legend>{t.places}</legend>
      {answers.map((answer, i) => {
        const place = i + 1;
        return (
          <label key={i} class="span-place" data-place={place} data-beyond={place > length ? '' : undefined}>
            <input
              type="radio"
              class="visually-hidden"
              name={name}
              checked={place === value}
              aria-label={t.placeLabel(place, answer)}
              onChange={() => onChange(place)}
            />
            <small>{place}</small>
            {answer}
          </label>
        );
      })}
    </fieldset>
  );
}
