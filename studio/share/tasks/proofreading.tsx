/** A text whose doubtful words are underlined; of a pair, a click shows what could stand there. */
import { useState } from 'preact/hooks';
import type { DoubtedWord } from '../../../src/studio/calls/doubtWords.js';
import type { Proposal } from '../../../src/studio/calls/proposeWords.js';
import { useWords } from '../../src/app/words.js';
import type { TaskProps } from '../app.js';
import { useAnswer } from '../useAnswer.js';
import { EXAMPLES, WORDS } from '../words.js';
import { TextForm } from './textForm.js';

interface Doubted {
  readonly text: string;
  readonly words: readonly DoubtedWord[];
}

/** Below, a word is drawn as any other. */
const CALM = 0.15;
const percent = (doubt: number) => Math.round(100 * doubt);

export function ProofreadTask({ data, ask }: TaskProps) {
  const t = useWords(WORDS);
  const lang = data.isKorean ? 'ko' : 'en';
  const [text, setText] = useState<string>(EXAMPLES[lang].proofread[0]);
  const { value, error, isRunning, run } = useAnswer<Doubted>();
  const read = (next: string) =>
    run(async (signal) => ({
      text: next,
      words: (await ask('proofread', { model: data.id, text: next }, signal)).words,
    }));
  const write = (next: string) => {
    setText(next);
    read(next);
  };
  return (
    <>
      <TextForm {...{ text, setText, isRunning, error, lang }} go={() => read(text)} action={t.do_proofread} />
      {value && <DoubtedText key={value.text} {...value} {...{ data, ask, lang, write }} />}
    </>
  );
}

function DoubtedText({
  text,
  words,
  data,
  ask,
  lang,
  write,
}: Doubted & TaskProps & { readonly lang: string; write(text: string): void }) {
  const t = useWords(WORDS);
  const proposes = data.folders.some(({ role }) => role === 'generator');
  const [chosen, choose] = useState<DoubtedWord>();
  const { value: proposals, error, run } = useAnswer<readonly Proposal[]>();
  const look = (word: DoubtedWord) => {
    choose(word);
    const { start, end } = word;
    run((signal) => ask('proposals', { model: data.id, text, start, end, topK: 5 }, signal));
  };
  const ends = [0, ...words.map(({ end }) => end)];
  const isCalm = words.every(({ doubt }) => doubt < CALM);
  const written = (word: DoubtedWord) => text.slice(word.start, word.end);
  return (
    <section class="share-result" aria-live="polite" aria-label={t.doubts}>
      {isCalm && <p>{t.calm}</p>}
      <p class="share-context share-doubts" lang={lang}>
        {words.map((word, i) => (
          <>
            {text.slice(ends[i], word.start)}
            <Word
              {...{ word }}
              text={written(word)}
              isChosen={word === chosen}
              onClick={proposes ? () => look(word) : undefined}
            />
          </>
        ))}
        {text.slice(ends[ends.length - 1])}
      </p>
      {proposes && !chosen && <p class="share-hint">{t.choose}</p>}
      {chosen && (
        <>
          <h2>{t.proposals(written(chosen))}</h2>
          {error && <p role="alert">{error.message}</p>}
          {proposals?.length === 0 && <p>{t.none}</p>}
          <ul class="share-others">
            {proposals?.map(({ text: proposal, doubt }) => (
              <li key={proposal}>
                <button
                  type="button"
                  class="secondary"
                  lang={lang}
                  onClick={() => write(text.slice(0, chosen.start) + proposal + text.slice(chosen.end))}
                >
                  {proposal} {doubt !== undefined && <small>{t.doubtOf(percent(doubt))}</small>}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Word(props: {
  readonly word: DoubtedWord;
  readonly text: string;
  readonly isChosen: boolean;
  readonly onClick?: () => void;
}) {
  const t = useWords(WORDS);
  const { word, text, isChosen, onClick } = props;
  const { doubt } = word;
  const isDoubtful = doubt >= CALM;
  const content = (
    <>
      {text}
      {isDoubtful && <small aria-hidden="true">{percent(doubt)}</small>}
    </>
  );
  const style = isDoubtful ? { '--doubt': doubt } : undefined;
  const shared = { class: 'share-word', 'data-doubtful': isDoubtful || undefined, style } as const;
  if (!onClick) {
    return (
      <span {...shared} title={t.doubt(text, percent(doubt))}>
        {content}
      </span>
    );
  }
  return (
    <button
      {...shared}
      type="button"
      aria-pressed={isChosen}
      aria-label={t.doubt(text, percent(doubt))}
      onClick={onClick}
    >
      {content}
    </button>
  );
}
