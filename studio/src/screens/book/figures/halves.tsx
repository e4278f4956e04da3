/** Two released files and the table that both hold: a drawing, no model needed. */
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { useWidth } from '../../../components/useWidth.js';
import { BOOK_WORDS } from '../words.js';

const BOX = 54;
const GAP = 10;
const TOP = 34;

export function Halves() {
  const t = useWords(BOOK_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const column = (width - 28) / 2;
  const names = [t.discriminator, t.generator];
  const files = ['discriminator', 'generator'];
  const at = (row: number) => TOP + row * (BOX + GAP);
  return (
    <Figure
      title={t.halves}
      name="book-halves"
      note={t.halvesNote}
      data={{ shared: 'electra.embeddings', files }}
      code={HALVES_CODE}
      tour="figure"
    >
      <div ref={box}>
        {width > 0 && (
          <svg width={width} height={at(3) + 4} role="img" aria-label={t.halvesSpoken}>
            {names.map((name, i) => {
              const x = i * (column + 28);
              const look = i === 0 ? 'discriminator' : 'generator';
              return (
                <g key={look}>
                  <text class="book-name" x={x + column / 2} y="16" text-anchor="middle">
                    {column > 230 ? t.onlyThere(files[i]) : name}
                  </text>
                  {[t.head, t.encoder].map((part, row) => (
                    <g key={part}>
                      <rect class={`book-${look}`} x={x} y={at(row)} width={column} height={BOX} rx="8" />
                      <text
                        class="book-in"
                        x={x + column / 2}
                        y={at(row) + BOX / 2}
                        text-anchor="middle"
                        dominant-baseline="central"
                      >
                        {part}
                      </text>
                    </g>
                  ))}
                </g>
              );
            })}
            <rect class="book-table" x="0" y={at(2)} width={width} height={BOX} rx="8" />
            <text class="book-in" x={width / 2} y={at(2) + BOX / 2} text-anchor="middle" dominant-baseline="central">
              {`${t.wordTable} E`}
            </text>
          </svg>
        )}
      </div>
    </Figure>
  );
}

const HALVES_CODE = `import { pretrainToFolder } from 'pleiad/node';

// Both halves are fetched and tied to one table of words.
const settings = { data: 'shards/', out: 'run/', from: 'google/electra-small-discriminator', generatorFrom: 'google/electra-small-generator' } as const;
for await (const event of pretrainToFolder(settings)) console.log(event.type);`;
