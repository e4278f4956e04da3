/** GELU beside ReLU, and a point that runs along it; computed by the library's own erf. */
import { erf } from '../../../../../src/interpreter/erf.js';
import { useWords } from '../../../app/words.js';
import { Figure } from '../../../components/figure.js';
import { Slider } from '../../../components/slider.js';
import { useWidth } from '../../../components/useWidth.js';
import type { ChapterFigureProps } from '../chapter.js';
import { numberIn } from '../numberIn.js';
import { BOOK_WORDS } from '../words.js';
import { curvePath, type Frame, toX, toY } from './curve.js';

const HEIGHT = 240;
const WIDEST = 4;

const gelu = (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2));
const relu = (x: number) => Math.max(0, x);

export function Gelu({ state, change, did }: ChapterFigureProps) {
  const t = useWords(BOOK_WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const x = numberIn(state.x, -WIDEST, WIDEST) ?? -0.7;
  const frame: Frame = { width, height: HEIGHT, x: [-WIDEST, WIDEST], y: [-0.6, 4.1] };
  const said = t.geluNote(x.toFixed(1), gelu(x).toFixed(3));
  return (
    <Figure title={t.gelu} name="book-gelu" note={said} data={{ x, gelu: gelu(x) }} code={GELU_CODE} tour="figure">
      <div ref={box}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={said}>
            <path class="book-grid" d={`M0 ${toY(frame, 0)}H${width}M${toX(frame, 0)} 0V${HEIGHT}`} />
            <path class="book-curve book-curve-other" d={curvePath(relu, frame)} />
            <path class="book-curve" d={curvePath(gelu, frame)} />
            <path class="book-lead" d={`M${toX(frame, x)} ${toY(frame, 0)}V${toY(frame, gelu(x))}`} />
            <circle class="book-knob" cx={toX(frame, x)} cy={toY(frame, gelu(x))} r="7" />
            <text class="book-name" x={toX(frame, 2.2) + 14} y={toY(frame, 2.2) + 16}>
              GELU
            </text>
            <text class="book-axis" x={toX(frame, -2.6)} y={toY(frame, 0) - 8}>
              ReLU
            </text>
          </svg>
        )}
      </div>
      <Slider
        label="x"
        value={x}
        min={-WIDEST}
        max={WIDEST}
        step={0.1}
        marks={[0]}
        text={x.toFixed(1)}
        onInput={(value) => {
          change({ x: value.toFixed(1) });
          did('moved');
        }}
      />
    </Figure>
  );
}

const GELU_CODE = `import { GraphBuilder, createInterpreterEngine } from 'pleiad/graph';

const g = new GraphBuilder();
g.output('y', g.gelu(g.input('x', 'float32', [1])));
const program = await createInterpreterEngine().compile(g.build(), { label: 'gelu' });
console.log(await program.run({ x: { dtype: 'float32', shape: [1], data: Float32Array.of(-0.7) } }));`;
