/** The label of a text: bars of all that the model knows. */
import { useState } from 'preact/hooks';
import type { ScoredLabel } from '../../../src/pipelines/textClassification.js';
import { useWords } from '../../src/app/words.js';
import { Bars } from '../../src/components/bars.js';
import type { TaskProps } from '../app.js';
import { useAnswer } from '../useAnswer.js';
import { EXAMPLES, WORDS } from '../words.js';
import { TextForm } from './textForm.js';

const MOST = 10;

export function LabelTask({ data, ask }: TaskProps) {
  const t = useWords(WORDS);
  const lang = data.isKorean ? 'ko' : 'en';
  const [text, setText] = useState<string>(EXAMPLES[lang].classify[0]);
  const { value, error, isRunning, run } = useAnswer<readonly ScoredLabel[]>();
  const go = () =>
    run(async (signal) => {
      const options = { topK: MOST };
      const asked = { task: 'text-classification', model: data.id, role: 'model', input: text, options } as const;
      return (await ask('runPipeline', asked, signal)) as ScoredLabel[];
    });
  return (
    <>
      <TextForm {...{ text, setText, go, isRunning, error, lang }} action={t.do_classify} />
      {value && (
        <section class="share-result" aria-live="polite" aria-label={t.labels}>
          <p class="share-answer">
            {data.givesNumbers ? value.map(({ score }) => score.toFixed(2)).join(' · ') : value[0].label}
          </p>
          {!data.givesNumbers && (
            <Bars label={t.labels} tone="accent" bars={value.map(({ label, score }) => ({ label, value: score }))} />
          )}
        </section>
      )}
    </>
  );
}
