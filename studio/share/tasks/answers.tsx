/** Questions about a text: the answer, how sure, and where it stands. */
import { useState } from 'preact/hooks';
import type { Answer } from '../../../src/pipelines/answers.js';
import { useWords } from '../../src/app/words.js';
import type { TaskProps } from '../app.js';
import { useAnswer } from '../useAnswer.js';
import { EXAMPLES, WORDS } from '../words.js';
import { TextForm } from './textForm.js';

interface Answered {
  /** The text that was asked about. */
  readonly text: string;
  readonly answers: readonly Answer[];
}

const CANDIDATES = 4;
const WORTH_SHOWING = 0.005;
const percent = (score: number) => Math.round(100 * score);

export function AnswerTask({ data, ask }: TaskProps) {
  const t = useWords(WORDS);
  const lang = data.isKorean ? 'ko' : 'en';
  const [exampleText, exampleQuestion] = EXAMPLES[lang].ask;
  const [text, setText] = useState<string>(exampleText);
  const [question, setQuestion] = useState<string>(exampleQuestion);
  const { value, error, isRunning, run } = useAnswer<Answered>();
  const go = () =>
    run(async (signal) => {
      const asked = {
        task: 'question-answering',
        model: data.id,
        role: 'model',
        input: { question, context: text },
        options: { topK: CANDIDATES },
      } as const;
      return { text, answers: (await ask('runPipeline', asked, signal)) as Answer[] };
    });
  return (
    <>
      <TextForm {...{ text, setText, go, isRunning, error, lang }} action={t.do_ask}>
        <label class="share-field">
          <span>{t.question}</span>
          <input
            type="text"
            lang={lang}
            value={question}
            required
            onInput={(event) => setQuestion(event.currentTarget.value)}
          />
        </label>
      </TextForm>
      {value && <Answers {...value} lang={lang} />}
    </>
  );
}

function Answers({ text, answers, lang }: Answered & { readonly lang: string }) {
  const t = useWords(WORDS);
  const [chosen, choose] = useState<{ readonly of: readonly Answer[]; readonly index: number }>();
  const index = chosen?.of === answers ? chosen.index : 0;
  const best = answers[0];
  const shown = answers[index];
  const others = answers
    .map((answer, i) => ({ answer, i }))
    .filter(({ answer, i }) => i > 0 && answer.answer !== '' && answer.score >= WORTH_SHOWING);
  return (
    <section class="share-result" aria-live="polite" aria-label={t.answer}>
      <p class="share-answer" lang={lang}>
        {best.answer || t.noAnswer}
      </p>
      <Sure score={best.score} />
      {shown.answer !== '' && (
        <>
          <h2>{t.inText}</h2>
          <p class="share-context" lang={lang}>
            {text.slice(0, shown.start)}
            <mark>{text.slice(shown.start, shown.end)}</mark>
            {text.slice(shown.end)}
          </p>
        </>
      )}
      {others.length > 0 && (
        <>
          <h2>{t.others}</h2>
          <ul class="share-others">
            {others.map(({ answer: { answer, score, start }, i }) => (
              <li key={`${start} ${answer}`}>
                <button
                  type="button"
                  class="secondary"
                  aria-pressed={index === i}
                  lang={lang}
                  onClick={() => choose({ of: answers, index: index === i ? 0 : i })}
                >
                  {answer} <small>{percent(score)} %</small>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Sure({ score }: { readonly score: number }) {
  const t = useWords(WORDS);
  return (
    <p class="share-sure">
      <meter min={0} max={1} value={score} aria-label={t.sure(percent(score))} />
      {t.sure(percent(score))}
    </p>
  );
}
