/** What could stand for each [MASK] of a text. */
import { useState } from 'preact/hooks';
import type { FillMaskCandidate as Candidate } from '../../../src/pipelines/fillMaskPipeline.js';
import { useWords } from '../../src/app/words.js';
import { Bars } from '../../src/components/bars.js';
import type { TaskProps } from '../app.js';
import { useAnswer } from '../useAnswer.js';
import { EXAMPLES, WORDS } from '../words.js';
import { TextForm } from './textForm.js';

const CANDIDATES = 6;

/** One [MASK] gives a list, several give one each. */
type Filled = readonly Candidate[] | { readonly masks: readonly (readonly Candidate[])[] };

export function FillTask({ data, ask }: TaskProps) {
  const t = useWords(WORDS);
  const lang = data.isKorean ? 'ko' : 'en';
  const [text, setText] = useState<string>(EXAMPLES[lang].fill[0]);
  const { value, error, isRunning, run } = useAnswer<readonly (readonly Candidate[])[]>();
  const go = () =>
    run(async (signal) => {
      const options = { topK: CANDIDATES };
      const { role } = data.folders[0];
      const asked = { task: 'fill-mask', model: data.id, role, input: text, options } as const;
      const filled = (await ask('runPipeline', asked, signal)) as Filled;
      return 'masks' in filled ? filled.masks : [filled];
    });
  return (
    <>
      <TextForm {...{ text, setText, go, isRunning, error, lang }} action={t.do_fill} />
      {value?.map((candidates, i) => (
        <section key={i} class="share-result" aria-live="polite" aria-label={t.candidates(i + 1)}>
          {value.length > 1 && <h2>{t.candidates(i + 1)}</h2>}
          <Bars
            label={t.candidates(i + 1)}
            tone="amber"
            bars={candidates.map(({ token, score }) => ({ label: token, value: score }))}
          />
        </section>
      ))}
    </>
  );
}
