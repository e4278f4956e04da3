/** A question about two sentences: over every word how probably the answer starts there, under it how probably it ends there. */
import type { AskOutput } from '../../../../../src/studio/calls/explainAnswer.js';
import { ANSWER_CLASSES } from '../../../../../src/studio/modelRole.js';
import { useLanguage, useWords } from '../../../app/words.js';
import { useCall, useModels } from '../../../backend/useCall.js';
import { Figure } from '../../../components/figure.js';
import { modelsOf } from '../../../components/modelSelect.js';
import { useWidth } from '../../../components/useWidth.js';
import { brokenLines, textWidth } from '../../../figures/lines.js';
import { askCode } from '../../ask/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { Waiting } from '../stepState.js';
import { BOOK_WORDS } from '../words.js';

const EXAMPLES = {
  en: {
    context: 'The lamp was finally lit on 3 March 1845. The engineer Agnes Muir had built the tower in six years.',
    questions: ['Who built the tower?', 'When was the lamp lit?', 'How long did it take?'],
  },
  ko: {
    context: '1845년 3월 3일 마침내 등이 켜졌다. 기술자 윤서린은 탑을 6년 동안 지었다.',
    questions: ['누가 탑을 지었는가?', '등은 언제 켜졌는가?', '공사는 얼마나 걸렸는가?'],
  },
} as const;

export function AnswerCurves({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const language = useLanguage();
  const { value: models, isLoading, error, retry } = useModels();
  const fitting = modelsOf(models, ANSWER_CLASSES);
  const model = fitting.find((each) => each.language === language) ?? fitting.at(0);
  const { context, questions } = EXAMPLES[model?.language === 'ko' ? 'ko' : 'en'];
  const chosen = questions.indexOf((state.question ?? questions[0]) as never);
  const question = questions[Math.max(0, chosen)];
  const call = useCall('ask', model && { model: model.id, question, context, topK: 1 });
  const asked = models ? call : { isLoading, error, retry };
  return (
    <>
      <fieldset class="book-questions">
        <legend>{t.question}</legend>
        {questions.map((each) => (
          <button
            key={each}
            type="button"
            class="secondary"
            aria-pressed={each === question}
            onClick={() => {
              change({ question: each });
              did('asked');
            }}
          >
            {each}
          </button>
        ))}
      </fieldset>
      <Waiting of={asked} hasModel={model !== undefined || isLoading}>
        {(value) => {
          const best = value.answers[0];
          const said = best ? t.answersNote(best.answer, Math.round(100 * best.score)) : '';
          return (
            <Figure
              title={t.answers}
              name="book-answers"
              note={said}
              data={value}
              code={askCode(model?.id ?? 'run/', question, { nullThreshold: value.nullThreshold })}
              tour="figure"
            >
              <p class="book-legend">
                <span data-tone="accent">{t.start}</span>
                <span data-tone="teal">{t.end}</span>
              </p>
              <Words context={context} asked={value} label={said} />
            </Figure>
          );
        }}
      </Waiting>
    </>
  );
}

const FONT = 17;
const HALF = 34;
const LINE = 2 * HALF + 34;

function Words({
  context,
  asked,
  label,
}: {
  readonly context: string;
  readonly asked: AskOutput;
  readonly label: string;
}) {
  const [box, width] = useWidth<HTMLDivElement>();
  const { offsets, starts, ends, answers } = asked;
  const pieces = starts.map((start, i) => ({
    text: context.slice(offsets[2 * i], offsets[2 * i + 1]),
    from: offsets[2 * i],
    start,
    end: ends[i],
    // A piece that continues a word stands close to it.
    gap: i > 0 && offsets[2 * i - 1] === offsets[2 * i] ? 1 : 9,
  }));
  const widths = pieces.map(({ text, gap }) => textWidth(text, FONT) + gap);
  const lines = brokenLines(widths, width, 0);
  const most = Math.max(0.01, ...starts, ...ends);
  const [best] = answers;
  return (
    <div ref={box}>
      {width > 0 && (
        <svg width={width} height={lines.length * LINE} role="img" aria-label={label}>
          {lines.map((columns, row) => {
            let x = 0;
            return columns.map((i) => {
              const { text, from, start, end, gap } = pieces[i];
              const left = x + gap;
              const wide = widths[i] - gap;
              x += widths[i];
              const middle = row * LINE + HALF + 16;
              const isAnswer = best !== undefined && from >= best.start && from < best.end;
              return (
                <g key={i} class="book-word" data-answer={isAnswer || undefined}>
                  <rect
                    class="book-discriminator"
                    x={left}
                    width={Math.max(2, wide)}
                    y={middle - 14 - (HALF * start) / most}
                    height={(HALF * start) / most}
                  />
                  <rect
                    class="book-teal"
                    x={left}
                    width={Math.max(2, wide)}
                    y={middle + 14}
                    height={(HALF * end) / most}
                  />
                  <text x={left} y={middle} dominant-baseline="central">
                    {text}
                  </text>
                </g>
              );
            });
          })}
        </svg>
      )}
    </div>
  );
}
