/** What a discriminator and a generator are made of, for any width of the generator. Counted by the library itself. */
import { useMemo } from 'preact/hooks';
import { type EncoderConfig, encoderConfig, generatorConfig } from '../../../../../src/models/config.js';
import { modelForUse } from '../../../../../src/models/heads.js';
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { Slider } from '../../../components/slider.js';
import { useWidth } from '../../../components/useWidth.js';
import { stackedSegments } from '../../../figures/stack.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { BOOK_WORDS } from '../words.js';

const ROW = 40;
const NAME = 22;

/** Parameters of an encoder with its head; those of the word table apart. */
function counted(config: EncoderConfig, architecture: 'ElectraForPreTraining' | 'ElectraForMaskedLM') {
  const { parameters } = modelForUse({ architecture, config, head: {} });
  const sum = (wanted: boolean) =>
    parameters
      .filter(({ name }) => name.includes('word_embeddings') === wanted)
      .reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
  return { table: sum(true), rest: sum(false) };
}

/** Heads have 64 units: the width goes in steps of a quarter. */
const QUARTERS = [1, 2, 3, 4];

export function Sizes({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const quarters = Math.round(numberIn(state.quarters, 1, 4) ?? 1);
  const { discriminator, generator } = useMemo(() => {
    const config = encoderConfig('small', 30522);
    return {
      discriminator: counted(config, 'ElectraForPreTraining'),
      generator: counted(generatorConfig(config, { sizeFraction: quarters / 4 }), 'ElectraForMaskedLM'),
    };
  }, [quarters]);
  const whole = discriminator.table + discriminator.rest;
  const scale = width / (whole * 1.02);
  const share = quarters === 4 ? '1' : quarters === 2 ? '½' : `${quarters}⁄4`;
  const percent = Math.round((100 * generator.rest) / whole);
  const millions = (count: number) => t.millions((count / 1e6).toFixed(1));
  const rows = [
    { name: t.discriminator, look: 'discriminator', parts: [discriminator.table, discriminator.rest], total: whole },
    { name: t.generator, look: 'generator', parts: [discriminator.table, generator.rest], total: generator.rest },
  ];
  return (
    <Figure
      title={t.sizes}
      name="book-sizes"
      note={t.sizesNote(share, percent)}
      data={{ discriminator, generator, quarters }}
      code={sizesCode(quarters)}
      tour="figure"
    >
      <div ref={box}>
        {width > 0 && (
          <svg width={width} height={rows.length * (ROW + NAME)} role="img" aria-label={t.sizesNote(share, percent)}>
            {rows.map(({ name, look, parts, total }, row) => {
              const y = row * (ROW + NAME);
              const [table, rest] = stackedSegments(
                parts.map((value) => ({ value })),
                scale,
              );
              return (
                <g key={look}>
                  <text class="book-name" x="0" y={y + 15}>
                    {name}
                  </text>
                  <text class="book-axis" x={width} y={y + 15} text-anchor="end">
                    {`${row === 1 ? '+ ' : ''}${millions(total)}`}
                  </text>
                  <rect class="book-table" x={table.x} y={y + NAME} width={table.width - 2} height={ROW - 12} rx="5" />
                  <rect class={`book-${look}`} x={rest.x} y={y + NAME} width={rest.width} height={ROW - 12} rx="5" />
                  {table.width > 110 && (
                    <text
                      class="book-in"
                      x={table.x + table.width / 2}
                      y={y + NAME + (ROW - 12) / 2}
                      text-anchor="middle"
                      dominant-baseline="central"
                    >
                      {t.sharedTable}
                    </text>
                  )}
                </g>
              );
            })}
          </svg>
        )}
      </div>
      <Slider
        label={t.fraction}
        value={quarters}
        min={1}
        max={4}
        step={1}
        marks={QUARTERS}
        text={share}
        onInput={(value) => {
          change({ quarters: `${value}` });
          did('width');
        }}
      />
    </Figure>
  );
}

const sizesCode = (quarters: number) => `import { pretrainToFolder } from 'pleiad/node';

const settings = { data: 'shards/', out: 'run/', size: 'small', generatorSizeFraction: ${quarters / 4} } as const;
for await (const event of pretrainToFolder(settings)) console.log(event.type);`;
