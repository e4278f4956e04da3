/** The parts of a text that have a label, each with its name. */
import { useState } from 'preact/hooks';
import type { TaggedSpan } from '../../../src/pipelines/tokenClassification.js';
import { useWords } from '../../src/app/words.js';
import type { TaskProps } from '../app.js';
import { useAnswer } from '../useAnswer.js';
import { EXAMPLES, WORDS } from '../words.js';
import { TextForm } from './textForm.js';

interface Marked {
  readonly text: string;
  readonly spans: readonly TaggedSpan[];
}

/** Colours are a help; the name stands beside each mark. */
const TONES = 4;

export function MarkTask({ data, ask }: TaskProps) {
  const t = useWords(WORDS);
  const lang = data.isKorean ? 'ko' : 'en';
  const [text, setText] = useState<string>(EXAMPLES[lang].tag[0]);
  const { value, error, isRunning, run } = useAnswer<Marked>();
  const go = () =>
    run(async (signal) => {
      const asked = { task: 'token-classification', model: data.id, role: 'model', input: text } as const;
      return { text, spans: (await ask('runPipeline', asked, signal)) as TaggedSpan[] };
    });
  return (
    <>
      <TextForm {...{ text, setText, go, isRunning, error, lang }} action={t.do_tag} />
      {value && <MarkedText {...value} lang={lang} />}
    </>
  );
}

function MarkedText({ text, spans, lang }: Marked & { readonly lang: string }) {
  const t = useWords(WORDS);
  const kinds = [...new Set(spans.map(({ entity }) => entity))].sort();
  const ends = [0, ...spans.map(({ end }) => end)];
  return (
    <section class="share-result" aria-live="polite" aria-label={t.labels}>
      {spans.length === 0 && <p>{t.nothingMarked}</p>}
      <p class="share-context" lang={lang}>
        {spans.map(({ entity, start, end, score }, i) => (
          <>
            {text.slice(ends[i], start)}
            <mark data-tone={kinds.indexOf(entity) % TONES} title={`${entity} ${score.toFixed(2)}`}>
              {text.slice(start, end)}
              <small>{entity}</small>
            </mark>
          </>
        ))}
        {text.slice(ends[ends.length - 1])}
      </p>
    </section>
  );
}
