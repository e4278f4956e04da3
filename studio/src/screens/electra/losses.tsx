/** Both losses of the sentence as one bar: a segment for each gap, and λ times a segment for each token. */
import type { ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import type { StateChanges } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { Figure } from '../../components/figure.js';
import { Rich } from '../../components/rich.js';
import { Slider } from '../../components/slider.js';
import { useWidth } from '../../components/useWidth.js';
import { textWidth } from '../../figures/lines.js';
import { stackedSegments } from '../../figures/stack.js';
import { lossCode } from './code.js';
import { wordOf } from './rows.js';
import { WORDS } from './words.js';

interface LossesProps {
  readonly step: ElectraStep;
  readonly lambda: number;
  change(changes: StateChanges): void;
}

const BAR = 46;
const NAMES = 34;

export function Losses({ step, lambda, change }: LossesProps) {
  const t = useWords(WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const { tokens, places, corrupted, generatorLoss, discriminatorLoss } = step;
  const pieces = corrupted.reduce((sum, token) => sum + token.pieces.length, 0);
  const generator = places.map(({ index, loss }) => ({ text: tokens[index].piece, value: loss / places.length }));
  const discriminator = corrupted.map((token) => ({ text: wordOf(token), value: (lambda * token.loss) / pieces }));
  const total = generatorLoss + lambda * discriminatorLoss;
  // The scale is that of a loss of chance, so that a better sentence is a shorter bar; a worse one fills it.
  const scale = width / Math.max(total, 30);
  const rows = [
    { name: t.lossGenerator, parts: generator, value: generatorLoss, look: 'generator', from: 0 },
    {
      name: t.lossDiscriminator,
      parts: discriminator,
      value: lambda * discriminatorLoss,
      look: 'discriminator',
      from: generatorLoss * scale,
    },
  ];
  return (
    <Figure
      title={t.loss}
      name="loss"
      note={<Rich text={t.lossNote(lambda)} />}
      data={{ lambda, generatorLoss, discriminatorLoss, total, generator, discriminator }}
      code={lossCode(lambda)}
    >
      <div ref={box}>
        {width > 0 && (
          <svg
            class="loss"
            width={width}
            height={2 * (BAR + NAMES) + 30}
            role="img"
            aria-label={t.lossLabel(generatorLoss.toFixed(2), discriminatorLoss.toFixed(3), lambda)}
          >
            {rows.map(({ name, parts, value, look, from }, row) => {
              const y = row * (BAR + NAMES);
              return (
                <g key={look}>
                  <text class="loss-name" x="0" y={y + 14}>
                    {name}
                  </text>
                  <text class="loss-value" x={width} y={y + 14} text-anchor="end">
                    {value.toFixed(2)}
                  </text>
                  {stackedSegments(parts, scale, from).map(({ part, x, width: wide }, i) => (
                    <g key={i}>
                      <rect
                        class={`loss-${look}`}
                        x={x}
                        y={y + 20}
                        width={Math.max(0, wide - 1)}
                        height={BAR - 12}
                        rx="3"
                      >
                        <title>{`${part.text} ${part.value.toFixed(2)}`}</title>
                      </rect>
                      {textWidth(part.text, 12) + 6 < wide && (
                        <text class={`loss-part loss-part-${look}`} x={x + wide / 2} y={y + 20 + (BAR - 12) / 2}>
                          {part.text}
                        </text>
                      )}
                    </g>
                  ))}
                </g>
              );
            })}
            <line class="loss-total" x1="0" x2={total * scale} y1={2 * (BAR + NAMES) + 2} y2={2 * (BAR + NAMES) + 2} />
            <text class="loss-value" x={width} y={2 * (BAR + NAMES) + 22} text-anchor="end">
              {`${generatorLoss.toFixed(2)} + ${lambda} · ${discriminatorLoss.toFixed(3)} = ${total.toFixed(2)}`}
            </text>
          </svg>
        )}
      </div>
      <Slider
        label={t.lambda}
        value={lambda}
        min={0}
        max={100}
        step={1}
        marks={[50]}
        text={`${lambda}`}
        onInput={(value) => change({ lambda: value === 50 ? undefined : `${value}` })}
      />
    </Figure>
  );
}
