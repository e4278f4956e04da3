/** What the generator holds probable in the gap that the reader looks at. */
import type { ElectraStep, MaskedPlace } from '../../../../src/studio/calls/electraStep.js';
import { useWords } from '../../app/words.js';
import { Bars } from '../../components/bars.js';
import { Figure } from '../../components/figure.js';
import { fillCode } from './code.js';
import { WORDS } from './words.js';

interface GapBarsProps {
  readonly model: string;
  readonly step: ElectraStep;
  readonly place?: MaskedPlace;
}

export function GapBars({ model, step, place }: GapBarsProps) {
  const t = useWords(WORDS);
  if (!place) {
    return (
      <Figure title={t.bars} name="generator" data={[]} code={fillCode(model, 'The chef [MASK] the meal.', 8)}>
        <p class="electra-rule">{t.barsEmpty}</p>
      </Figure>
    );
  }
  const original = step.tokens[place.index];
  const bars = place.candidates.map(({ piece, probability }) => ({
    label: piece,
    value: probability,
    isMarked: piece === place.drawn,
    isOriginal: piece === original.piece,
  }));
  const isAmong = bars.some(({ isOriginal }) => isOriginal);
  const note = isAmong
    ? t.barsNote(original.piece)
    : `${t.barsNote(original.piece)} ${t.ranked(original.piece, place.originalRank + 1)}.`;
  return (
    <Figure
      title={t.bars}
      name="generator"
      note={note}
      data={place}
      code={fillCode(model, maskedText(step), bars.length)}
    >
      <Bars bars={bars} tone="amber" label={t.bars} />
    </Figure>
  );
}

function maskedText({ tokens, places }: ElectraStep): string {
  const gaps = new Set(places.map(({ index }) => index));
  return tokens
    .map(({ piece, continues }, index) => (gaps.has(index) ? ' [MASK]' : continues ? piece.slice(2) : ` ${piece}`))
    .join('')
    .trim();
}
