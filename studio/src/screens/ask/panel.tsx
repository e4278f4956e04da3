/** What one model answers: in its sentence, with the others that it considered and where it looked. */
import type { AskOutput } from '../../../../src/studio/calls/explainAnswer.js';
import { useLanguage, useWords } from '../../app/words.js';
import { Figure } from '../../components/figure.js';
import { shortProbability } from '../../components/tokens.js';
import { inSentence } from './askState.js';
import { askCode } from './code.js';
import { Reach } from './reach.js';
import { ASK_WORDS } from './words.js';

interface PanelProps {
  readonly model: string;
  /** Whether the model's name is shown: where two stand side by side. */
  readonly isNamed: boolean;
  readonly question: string;
  readonly text: string;
  readonly found: AskOutput;
  readonly threshold: number;
  readonly maxLength?: number;
}

export function Panel({ model, isNamed, question, text, found, threshold, maxLength }: PanelProps) {
  const t = useWords(ASK_WORDS);
  const [best, ...others] = found.answers;
  const isAnswered = best !== undefined && found.noAnswerScore <= threshold;
  const code = askCode(model, question, { maxLength, nullThreshold: threshold });
  return (
    <section class="ask-panel" aria-label={model}>
      {isNamed && <p class="ask-model">{model}</p>}
      <div class="ask-answer" role="status" data-off={isAnswered ? undefined : ''}>
        {isAnswered ? (
          <Sentence text={text} start={best.start} end={best.end} />
        ) : (
          <>
            <p class="ask-none">{t.noAnswer}</p>
            {best && (
              <p class="ask-ghost">
                {t.best}: <span>{best.answer}</span>
              </p>
            )}
          </>
        )}
        {isAnswered && <p class="ask-score">{t.probability(percent(best.score))}</p>}
      </div>
      <div class="card">
        <Figure
          title={t.where}
          name="ask-windows"
          note={t.whereNote(found.windows.length)}
          data={{ model, question, ...found }}
          code={code}
        >
          <Reach found={found} text={text} />
        </Figure>
        {others.length > 0 && (
          <Figure
            title={t.others}
            name="ask-answers"
            data={{ model, question, answers: found.answers }}
            code={code}
            drawing={() => <AnswerDrawing answers={found.answers} />}
          >
            <AnswerList answers={found.answers} />
          </Figure>
        )}
      </div>
    </section>
  );
}

function Sentence({ text, start, end }: { readonly text: string; readonly start: number; readonly end: number }) {
  const { before, answer, after } = inSentence(text, start, end, useLanguage());
  return (
    <p class="ask-sentence">
      {before}
      <mark>{answer}</mark>
      {after}
    </p>
  );
}

const percent = (p: number) => `${(100 * p).toFixed(p < 0.0995 ? 1 : 0)}%`;

/** The best answers with their probabilities; an answer may be long, so its bar stands under it. */
function AnswerList({ answers }: Pick<AskOutput, 'answers'>) {
  return (
    <ol class="ask-answers">
      {answers.map(({ answer, score, start }) => (
        <li key={start}>
          <span>{answer}</span>
          <b>{shortProbability(score)}</b>
          <i style={{ '--share': score }} />
        </li>
      ))}
    </ol>
  );
}

/** The same as a drawing that can be saved. */
function AnswerDrawing({ answers }: Pick<AskOutput, 'answers'>) {
  return (
    <svg
      width="420"
      height={answers.length * 40}
      role="img"
      aria-label={answers.map(({ answer }) => answer).join(', ')}
    >
      {answers.map(({ answer, score, start }, i) => (
        <g key={start} transform={`translate(0 ${i * 40})`}>
          <text class="ask-drawn" x="0" y="18">
            {answer}
          </text>
          <text class="ask-drawn" x="420" y="18" text-anchor="end">
            {shortProbability(score)}
          </text>
          <rect class="ask-drawn-bar" x="0" y="25" width={Math.max(2, 420 * score)} height="4" />
        </g>
      ))}
    </svg>
  );
}
