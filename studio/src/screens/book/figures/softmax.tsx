/** The distribution over one gap, and a temperature that spreads it. */
import { useWords } from '../../../app/words.js';
import { Bars } from '../../../components/bars.js';
import { Figure } from '../../../components/figure.js';
import { Slider } from '../../../components/slider.js';
import { fillCode } from '../../electra/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { Waiting } from '../stepState.js';
import { useStep } from '../useStep.js';
import { BOOK_WORDS } from '../words.js';

export function Softmax({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const temperature = numberIn(state.t, 0.2, 3) ?? 1;
  const step = useStep(state, { temperature, top: 8 });
  return (
    <Waiting of={step} hasModel={step.hasPair}>
      {({ tokens, places }) => {
        const place = places[0];
        const original = tokens[place?.index ?? 0].piece;
        const title = t.softmax(original);
        const bars = (place?.candidates ?? []).map(({ piece, probability }) => ({
          label: piece,
          value: probability,
          isOriginal: piece === original,
        }));
        return (
          <Figure
            title={title}
            name="book-softmax"
            data={{ temperature, ...place }}
            code={fillCode(step.model, step.maskedText, 8)}
            tour="figure"
          >
            <Bars bars={bars} tone="amber" label={title} />
            <Slider
              label={t.temperature}
              value={temperature}
              min={0.2}
              max={3}
              step={0.1}
              marks={[1]}
              text={temperature.toFixed(1)}
              onInput={(value) => {
                change({ t: value === 1 ? undefined : value.toFixed(1) });
                did('temperature');
              }}
            />
          </Figure>
        );
      }}
    </Waiting>
  );
}
