/** The sentence whose words the reader hides; under each gap the generator's likeliest word. */
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { Token, TokenRow } from '../../../components/tokens.js';
import { fillCode } from '../../electra/code.js';
import type { ChapterFigureProps } from '../chapter.js';
import { Waiting } from '../stepState.js';
import { useStep } from '../useStep.js';
import { BOOK_WORDS } from '../words.js';

export function Gaps({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const step = useStep(state);
  const toggle = (index: number) => {
    const { masked } = step;
    const next = masked.includes(index) ? masked.filter((each) => each !== index) : [...masked, index];
    change({ masked: next.sort((a, b) => a - b).join(' ') });
    did('hid');
  };
  return (
    <Waiting of={step} hasModel={step.hasPair}>
      {({ tokens, places }) => (
        <Figure
          title={t.gaps}
          name="book-generator"
          note={t.gapsNote}
          data={places}
          code={fillCode(step.model, step.maskedText, 6)}
          tour="figure"
        >
          <TokenRow label={t.gaps} class="book-tokens">
            {tokens.map(({ piece }, index) => {
              const best = places.find((place) => place.index === index)?.candidates[0];
              return (
                <Token
                  key={index}
                  text={best ? '[MASK]' : piece}
                  tone={best ? 'mask' : 'plain'}
                  pressed={best !== undefined}
                  onClick={() => toggle(index)}
                >
                  <small class="book-under">{best?.piece ?? ' '}</small>
                  {best && (
                    <span class="visually-hidden">{t.likeliest(piece, Math.round(100 * best.probability))}</span>
                  )}
                </Token>
              );
            })}
          </TokenRow>
        </Figure>
      )}
    </Waiting>
  );
}
