/** Parameters as areas; one of them opened as its tensors. */
import type { ModelBlock, StudioInspection } from '../../../../src/studio/inspection.js';
import { useWords } from '../../app/words.js';
import { Figure } from '../../components/figure.js';
import { useWidth } from '../../components/useWidth.js';
import { treemap } from '../../figures/treemap.js';
import { inspectionCode } from './code.js';
import { WORDS } from './words.js';

const HEIGHT = 300;
/** An area narrower than this has no room for its name. */
const ROOM = { width: 74, height: 40 };

export function Parts(props: {
  readonly inspection: StudioInspection;
  readonly id: string;
  readonly chosen: string | undefined;
  choose(block: string | undefined): void;
}) {
  const { inspection, id, chosen, choose } = props;
  const t = useWords(WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const { blocks, parameters } = inspection;
  const open = blocks.find(({ name }) => name === chosen);
  const placed = treemap(
    blocks.map((block) => block.parameters),
    width,
    HEIGHT,
  );
  return (
    <Figure
      title={t.parts}
      name={`${id}-parameters`}
      note={t.partsNote}
      data={blocks.map(({ name, parameters: count }) => ({ name, parameters: count }))}
      code={inspectionCode(id)}
      tour="parts"
    >
      <div ref={box} class="models-areas">
        {width > 0 && (
          <svg width={width} height={HEIGHT}>
            <title>{t.parts}</title>
            {placed.map((area) => (
              <AreaOf
                key={blocks[area.index].name}
                area={area}
                block={blocks[area.index]}
                total={parameters}
                isOpen={blocks[area.index].name === chosen}
                toggle={() => choose(blocks[area.index].name === chosen ? undefined : blocks[area.index].name)}
              />
            ))}
          </svg>
        )}
      </div>
      {open && <Tensors block={open} />}
    </Figure>
  );
}

function AreaOf(props: {
  readonly area: ReturnType<typeof treemap>[number];
  readonly block: ModelBlock;
  readonly total: number;
  readonly isOpen: boolean;
  toggle(): void;
}) {
  const { area, block, total, isOpen, toggle } = props;
  const t = useWords(WORDS);
  const name = useBlockName(block.name);
  const percent = ((100 * block.parameters) / total).toFixed(block.parameters / total < 0.1 ? 1 : 0);
  const hasRoom = area.width >= ROOM.width && area.height >= ROOM.height;
  const kind = block.name.startsWith('layer') ? 'layer' : block.name;
  return (
    // biome-ignore lint/a11y/useSemanticElements: an area of an SVG cannot be a button element
    <g
      role="button"
      // As SVG spells it: the other spelling is no attribute there.
      tabindex={0}
      aria-pressed={isOpen}
      aria-label={hasRoom ? undefined : t.part(name, shortCount(block.parameters), percent)}
      class="models-area"
      data-kind={kind}
      onClick={toggle}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        toggle();
      }}
    >
      <rect
        x={area.x + 1.5}
        y={area.y + 1.5}
        width={Math.max(0, area.width - 3)}
        height={Math.max(0, area.height - 3)}
        rx="6"
      />
      {hasRoom && (
        <text x={area.x + 12} y={area.y + 24}>
          <tspan class="models-area-name">{fitted(name, area.width)}</tspan>{' '}
          {area.height >= 58 && (
            <tspan class="models-area-count" x={area.x + 12} dy="20">
              {area.width >= 150 ? `${shortCount(block.parameters)} · ${percent} %` : `${percent} %`}
            </tspan>
          )}
        </text>
      )}
    </g>
  );
}

/** In a narrow area a part's first word. */
function fitted(name: string, width: number): string {
  return name.length * 7.6 + 20 <= width
    ? name
    : name
        .split(' ')
        .slice(0, width < 110 ? 1 : 2)
        .join(' ');
}

function useBlockName(name: string): string {
  const t = useWords(WORDS);
  const [, number] = /^layer (\d+)$/.exec(name) ?? [];
  if (number !== undefined) return t.layer(String(Number(number) + 1));
  return name === 'embeddings' ? t.embeddings : t.head;
}

function Tensors({ block }: { readonly block: ModelBlock }) {
  const t = useWords(WORDS);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div class="models-tensors" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t.tensor}</th>
            <th>{t.shape}</th>
            <th>{t.values}</th>
          </tr>
        </thead>
        <tbody>
          {block.tensors.map(({ name, shape, parameters }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{shape.join(' × ')}</td>
              <td>{parameters.toLocaleString('en-US')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** 4.1 M, 820 k */
export function shortCount(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(count >= 1e7 ? 0 : 1)} M`;
  return count >= 1000 ? `${Math.round(count / 1000)} k` : `${count}`;
}
