/** The sentence with its hidden span and the two words beside it, numbered as the paper numbers them; no model needed. */
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { boundaryCode } from '../../spanbert/code.js';
import { Sentence } from '../../spanbert/sentence.js';
import { SENTENCES, spanScreenState, spanText } from '../../spanbert/spanState.js';
import type { ChapterFigureProps } from '../chapter.js';
import { BOOK_WORDS } from '../words.js';
import '../../spanbert/spanbert.css';

export function Boundaries({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const { text, words, span } = spanScreenState({ span: state.span ?? '' }, SENTENCES.en);
  const left = words[span.first - 1];
  const right = words[span.last + 1];
  const offsets = { start: words[span.first].start, end: words[span.last].end };
  const named = (word: { text: string } | undefined, at: number) =>
    word && (
      <li>
        <i>x</i>
        <sub>{at}</sub> = <b>{word.text}</b>
      </li>
    );
  return (
    <Figure
      title={t.boundaries}
      name="book-boundaries"
      note={t.boundariesNote}
      data={{ text, span, left, right }}
      code={boundaryCode('run/', text, offsets, 1)}
      tour="figure"
    >
      <div lang="en">
        <Sentence
          words={words}
          span={span}
          current={-1}
          placeOf={(word) => word - span.first + 1}
          onSpan={(next) => {
            change({ span: spanText(next) });
            did('span');
          }}
          onLook={() => {}}
        />
      </div>
      <ul class="book-edges" aria-live="polite">
        {named(left, span.first)}
        {named(right, span.last + 2)}
      </ul>
    </Figure>
  );
}
