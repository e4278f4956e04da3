/** Both losses of the sentence: the figure of screen ELECTRA, in the book. */
import { Losses } from '../../electra/losses.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { Waiting } from '../stepState.js';
import { useStep } from '../useStep.js';
import '../../electra/electra.css';

export function StepLosses({ state, change, did }: ChapterFigureProps) {
  const step = useStep(state);
  return (
    <Waiting of={step} hasModel={step.hasPair}>
      {(value) => (
        <div data-tour="figure">
          <Losses
            step={value}
            lambda={numberIn(state.lambda, 0, 100) ?? 50}
            change={(changes) => {
              change(changes);
              did('lambda');
            }}
          />
        </div>
      )}
    </Waiting>
  );
}
