/** The six sentences: what the generator would put into a gap, and what the discriminator thinks of a wrong word. */
import { useState } from 'preact/hooks';
import type { ProbePrediction } from '../../../../src/studio/probes.js';
import type { ProbeSentence } from '../../../../src/studio/studioApi.js';
import { useWords } from '../../app/words.js';
import { Slider } from '../../components/slider.js';
import { shortProbability } from '../../components/tokens.js';
import { grouped } from './numbers.js';
import type { PredictedAt } from './trainProtocol.js';
import { WORDS } from './words.js';

const MASK = '[MASK]';

export function Sentences(props: {
  readonly probes: readonly ProbeSentence[];
  readonly predicted: readonly PredictedAt[];
  readonly language: string | undefined;
}) {
  const { probes, predicted, language } = props;
  const t = useWords(WORDS);
  /** Index of the chosen moment; undefined follows the newest. */
  const [chosen, choose] = useState<number>();
  const last = predicted.length - 1;
  const index = Math.min(chosen ?? last, last);
  const at = predicted[index];
  if (probes.length === 0) return null;
  const hasDoubts = predicted.some(({ predictions }) => predictions.some(({ doubts }) => doubts.length > 0));
  return (
    <section class="train-sentences" data-tour="sentences">
      <h2>{t.sentences}</h2>
      <p class="figure-note">{at ? t.sentencesNote : t.waiting}</p>
      {predicted.length > 1 && (
        <Slider
          label={t.time}
          value={index}
          min={0}
          max={last}
          step={1}
          text={t.stepsText(grouped(predicted[index].step))}
          onInput={(value) => choose(value === last ? undefined : value)}
        />
      )}
      <div class="train-sentence-columns" lang={language}>
        <div>
          <h3>{t.gap}</h3>
          <ol aria-label={t.gap}>
            {probes.map((probe, i) => (
              <Gap key={probe.masked} probe={probe} prediction={at?.predictions[i]} />
            ))}
          </ol>
        </div>
        {hasDoubts && (
          <div>
            <h3>{t.intruder}</h3>
            <ol aria-label={t.intruder}>
              {probes.map((probe, i) => (
                <Intruder key={probe.wrong} probe={probe} prediction={at?.predictions[i]} />
              ))}
            </ol>
          </div>
        )}
      </div>
    </section>
  );
}

interface RowProps {
  readonly probe: ProbeSentence;
  readonly prediction: ProbePrediction | undefined;
}

function Gap({ probe, prediction }: RowProps) {
  const t = useWords(WORDS);
  const [before, after] = probe.masked.split(MASK);
  const [best, ...others] = prediction?.candidates ?? [];
  const isRight = best?.token.toLowerCase() === probe.answer.toLowerCase();
  return (
    <li>
      <p>
        {before}
        <span class="train-guess" data-right={isRight || undefined}>
          {best ? best.token : '…'}
          {best && <small>{shortProbability(best.score)}</small>}
        </span>
        {after}
      </p>
      <p class="train-aside">
        {others.map(({ token, score }) => (
          <span key={token} title={t.gapLabel(token, String(Math.round(100 * score)))}>
            {token} {shortProbability(score)}
          </span>
        ))}
        <span class="train-answer">{isRight ? `✓ ${probe.answer}` : t.was(probe.answer)}</span>
      </p>
    </li>
  );
}

function Intruder({ probe, prediction }: RowProps) {
  const t = useWords(WORDS);
  const words = wordsOf(probe.wrong, prediction);
  const most = Math.max(...words.map(({ doubt }) => doubt ?? 0));
  return (
    <li>
      <p>
        {words.map(({ text, doubt, start }) => (
          <span
            key={start}
            class="train-word"
            data-intruder={text.includes(probe.intruder) || undefined}
            style={doubt === undefined ? undefined : { '--heat-share': doubt }}
          >
            {text}
            {doubt !== undefined && (doubt === most || doubt >= 0.3 || text.includes(probe.intruder)) && (
              <small>{shortProbability(doubt)}</small>
            )}
          </span>
        ))}
      </p>
      <p class="train-aside">
        <span class="train-answer">
          {probe.intruder}: {t.stood(probe.original)}
        </span>
      </p>
    </li>
  );
}

interface Word {
  readonly text: string;
  readonly start: number;
  /** The largest of its pieces; undefined before the first prediction. */
  readonly doubt?: number;
}

/** Words between spaces, each as doubtful as its most doubtful piece. */
export function wordsOf(sentence: string, prediction: ProbePrediction | undefined): Word[] {
  return [...sentence.matchAll(/\S+/g)].map(({ 0: text, index: start }) => {
    const own = prediction?.doubts.filter((doubt) => doubt.start >= start && doubt.start < start + text.length) ?? [];
    if (own.length === 0) return { text, start };
    return { text, start, doubt: own.reduce((most, { replaced }) => Math.max(most, replaced), 0) };
  });
}
