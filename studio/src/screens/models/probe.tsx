/** A text cut into a model's word pieces while it is typed. */
import type { StudioRole } from '../../../../src/studio/studioCall.js';
import { useWords } from '../../app/words.js';
import { useCall } from '../../backend/useCall.js';
import { ErrorState } from '../../components/states.js';
import { WORDS } from './words.js';

/** A text in the language of the model, and not of the page: another one's would be unknown to it. */
const PROBES = {
  en: 'Unbelievably, the lighthouse keeper whispered to the seagulls.',
  ko: '등대지기는 갈매기에게 나지막이 속삭였습니다.',
};

export function Probe(props: {
  readonly id: string;
  readonly role: StudioRole;
  /** Of the model, where it is known. */
  readonly language: string | undefined;
  readonly text: string | undefined;
  setText(text: string | undefined): void;
}) {
  const { id, role, setText } = props;
  const t = useWords(WORDS);
  const text = props.text ?? PROBES[props.language === 'ko' ? 'ko' : 'en'];
  const { value, error } = useCall('tokenize', text.trim() === '' ? undefined : { model: id, role, text });
  return (
    <section class="models-probe" data-tour="probe">
      <h2>{t.probe}</h2>
      <input
        type="text"
        aria-label={t.probeLabel}
        maxLength={400}
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      {error && <ErrorState error={error} />}
      <p class="models-pieces">
        {(text.trim() === '' ? [] : (value?.tokens ?? [])).map(({ piece, id: number, start, continues }) => (
          <span
            key={start}
            class="models-piece"
            data-continues={continues || undefined}
            data-unknown={piece === '[UNK]' || undefined}
            title={t.pieceLabel(piece, String(number))}
          >
            {piece}
            <small>{piece === '[UNK]' ? t.unknown : number}</small>
          </span>
        ))}
      </p>
    </section>
  );
}
