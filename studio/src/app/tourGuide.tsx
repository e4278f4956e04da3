/** Shows a tour: one step at a time in a corner, its target ringed; the next appears when the reader has done it. */
import { useEffect, useState } from 'preact/hooks';
import { SHELL_WORDS } from './shellWords.js';
import type { TourStep, TourView } from './tour.js';
import { useLanguage, useWords } from './words.js';
import './tour.css';

interface TourGuideProps {
  readonly steps: readonly TourStep[];
  readonly view: TourView;
  close(): void;
}

export function TourGuide({ steps, view, close }: TourGuideProps) {
  const t = useWords(SHELL_WORDS);
  const language = useLanguage();
  const [step, setStep] = useState(0);
  const current: TourStep | undefined = steps[step];
  const isDone = current?.done(view) ?? false;

  useEffect(() => {
    if (isDone) setStep((before) => before + 1);
  }, [isDone, step]);

  useEffect(() => {
    const target = current && document.querySelector<HTMLElement>(`[data-tour="${current.target}"]`);
    if (!target) return;
    target.classList.add('tour-target');
    target.scrollIntoView({ block: 'nearest' });
    return () => target.classList.remove('tour-target');
  }, [current]);

  return (
    <aside class="tour" aria-label={t.tour}>
      <p class="tour-count">{current ? t.tourStep(step + 1, steps.length) : '✓'}</p>
      <p aria-live="polite">{current ? current.text[language].text : t.tourDone}</p>
      <button type="button" class="quiet" onClick={close}>
        {t.close}
      </button>
    </aside>
  );
}
