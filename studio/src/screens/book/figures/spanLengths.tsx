/** Lengths of thrown spans beside their law; no model needed. */
import { throwCounts } from '../../../../../src/studio/spanThrows.js';
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { throwCode } from '../../spanbert/code.js';
import { Lengths } from '../../spanbert/lengths.js';
import { SENTENCES } from '../../spanbert/spanState.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { BOOK_WORDS } from '../words.js';
import '../../spanbert/spanbert.css';

const AT_ONCE = 100;
/** More would only be slower. */
const MOST = 5000;
const WORDS = 40;

export function SpanLengths({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const throws = Math.round(numberIn(state.throws, 0, MOST) ?? AT_ONCE);
  const counts = throwCounts(WORDS, 1, throws);
  return (
    <Figure
      title={t.lengths}
      name="book-lengths"
      note={t.lengthsNote(throws)}
      data={{ throws, counts }}
      code={throwCode(SENTENCES.en)}
      tour="figure"
    >
      <Lengths counts={counts} />
      <p class="book-actions">
        <button
          type="button"
          class="secondary"
          disabled={throws >= MOST}
          onClick={() => {
            change({ throws: `${Math.min(MOST, throws + AT_ONCE)}` });
            did('threw');
          }}
        >
          {t.throw}
        </button>
      </p>
    </Figure>
  );
}
