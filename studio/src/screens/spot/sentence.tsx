/** The sentence that one plays with. */
import type { SpotWord } from '../../../../src/studio/calls/spotRound.js';
import { useLanguage, useWords } from '../../app/words.js';
import { shortProbability, TokenRow } from '../../components/tokens.js';
import type { Round } from './useRound.js';
import { WORDS } from './words.js';

interface SentenceProps {
  readonly round: Round;
  readonly marks: readonly number[];
  /** Undefined until the model shows its own. */
  readonly modelMarks?: readonly number[];
  toggle(index: number): void;
}

/** Doubts below this are read from the colour alone, and by a screen reader. */
const NUMBER_FROM = 0.3;

export function Sentence({ round, marks, modelMarks, toggle }: SentenceProps) {
  const t = useWords(WORDS);
  const language = useLanguage();
  return (
    <TokenRow label={t.sentence} class="spot-sentence" lang={language} tour="sentence">
      {round.words.map((word, index) => (
        <span key={index}>
          {word.before}
          <Word
            word={word}
            index={index}
            isMine={marks.includes(index)}
            isModels={modelMarks?.includes(index)}
            press={() => toggle(index)}
          />
        </span>
      ))}
      {round.after}
    </TokenRow>
  );
}

interface WordProps {
  readonly word: SpotWord;
  readonly index: number;
  readonly isMine: boolean;
  /** Undefined until the model shows its marks. */
  readonly isModels?: boolean;
  press(): void;
}

function Word({ word, index, isMine, isModels, press }: WordProps) {
  const t = useWords(WORDS);
  const isShown = isModels !== undefined;
  const percent = Math.round(word.doubt * 100);
  const spoken =
    word.original === undefined ? t.wordPlain(word.text, percent) : t.wordFake(word.text, word.original, percent);
  const label = isShown
    ? [spoken, ...(isMine ? [t.wordYours] : []), ...(isModels ? [t.wordModels] : [])].join(', ')
    : undefined;
  const hasNumber = isShown && (isModels || word.original !== undefined || word.doubt >= NUMBER_FROM);
  return (
    <button
      type="button"
      class="spot-word"
      aria-pressed={isMine}
      aria-disabled={isShown}
      data-shown={isShown || undefined}
      data-models={isModels || undefined}
      style={isShown ? { '--heat-share': word.doubt, '--order': index } : undefined}
      onClick={isShown ? undefined : press}
    >
      {isShown && word.original !== undefined && (
        <span class="spot-was" aria-hidden="true">
          {word.original}
        </span>
      )}
      {label === undefined ? word.text : <span aria-hidden="true">{word.text}</span>}
      {label !== undefined && <span class="visually-hidden">{label}</span>}
      {hasNumber && (
        <span class="spot-doubt" aria-hidden="true">
          {shortProbability(word.doubt)}
        </span>
      )}
    </button>
  );
}
