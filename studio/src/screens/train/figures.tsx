/** The three curves of a run, each with what it has to beat. */
import { useWords } from '../../app/words.js';
import { Figure } from '../../components/figure.js';
import { trainingCode } from './code.js';
import { CurveDrawing } from './curveDrawing.js';
import { CurvePlot, type CurvePlotProps, type Point } from './curvePlot.js';
import { bandsOf, type Curves, type EvaluationPoint, type StepPoint } from './curves.js';
import { grouped } from './numbers.js';
import type { TrainingSetup } from './trainProtocol.js';
import { WORDS } from './words.js';

interface CurveFiguresProps {
  readonly curves: Curves;
  /** Earlier runs to lay over this one. */
  readonly over: readonly Curves[];
  readonly setup: TrainingSetup | undefined;
}

const COLUMNS = 60;

const EMPTY: Record<string, [number, number]> = { generator: [4, 9], discriminator: [0.3, 0.7], auc: [0.45, 0.8] };

export function CurveFigures({ curves, over, setup }: CurveFiguresProps) {
  const t = useWords(WORDS);
  const common = { curves, over, setup };
  const hasDiscriminator =
    curves.evaluations.length === 0 ||
    curves.evaluations.some(({ discriminatorLoss }) => discriminatorLoss !== undefined);
  return (
    <div class="train-figures" data-tour="curves">
      <CurveFigure
        {...common}
        name="generator-loss"
        title={t.generator}
        note={t.generatorNote}
        colour="amber-fill"
        ofStep={({ generatorLoss }) => generatorLoss}
        ofEvaluation={({ generatorLoss }) => generatorLoss}
        baseline={({ frequencies }) => frequencies}
        baselineName={t.frequencies}
        empty={EMPTY.generator}
        unit={t.nats}
        digits={1}
        shownDigits={2}
      />
      {hasDiscriminator && (
        <CurveFigure
          {...common}
          name="discriminator-loss"
          title={t.discriminator}
          note={t.discriminatorNote}
          colour="heat"
          ofStep={({ discriminatorLoss }) => discriminatorLoss}
          ofEvaluation={({ discriminatorLoss }) => discriminatorLoss}
          baseline={({ entropy }) => entropy}
          baselineName={t.entropy}
          empty={EMPTY.discriminator}
          unit={t.nats}
          digits={2}
          shownDigits={3}
        />
      )}
      {hasDiscriminator && (
        <CurveFigure
          {...common}
          name="auc"
          title={t.auc}
          note={t.aucNote}
          colour="accent"
          ofStep={() => undefined}
          ofEvaluation={({ auc }) => auc}
          baseline={() => 0.5}
          baselineName={t.coin}
          empty={EMPTY.auc}
          unit=""
          digits={2}
          shownDigits={2}
        />
      )}
    </div>
  );
}

interface CurveFigureProps extends CurveFiguresProps {
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly colour: CurvePlotProps['colour'];
  ofStep(point: StepPoint): number | undefined;
  ofEvaluation(point: EvaluationPoint): number | undefined;
  baseline(point: EvaluationPoint): number | undefined;
  readonly baselineName: string;
  readonly empty: [number, number];
  readonly unit: string;
  readonly digits: number;
  readonly shownDigits: number;
}

function CurveFigure(props: CurveFigureProps) {
  const { curves, over, setup, title, note, name, unit, baselineName, digits, shownDigits, colour } = props;
  const t = useWords(WORDS);
  const heldOut = pointsOf(curves.evaluations, props.ofEvaluation);
  const totalSteps = Math.max(curves.totalSteps ?? 0, curves.step, ...over.map(({ step }) => step));
  const baseline = wide(pointsOf(curves.evaluations, props.baseline), totalSteps);
  const last = heldOut.at(-1);
  const level = baseline.at(-1);
  const shown = (value: number | undefined) =>
    value === undefined ? '–' : `${value.toFixed(shownDigits)} ${unit}`.trim();
  const plot: CurvePlotProps = {
    label: t.curveLabel(title, shown(last?.y), baselineName, shown(level?.y)),
    colour,
    band: bandsOf(pointsOf(curves.steps, props.ofStep), COLUMNS),
    heldOut,
    baseline,
    baselineName,
    over: over.map(({ evaluations }) => pointsOf(evaluations, props.ofEvaluation)),
    totalSteps,
    empty: props.empty,
    digits,
  };
  return (
    <Figure
      title={title}
      name={name}
      data={{
        trained: pointsOf(curves.steps, props.ofStep),
        heldOut,
        baseline: { name: baselineName, points: baseline },
      }}
      code={trainingCode(setup)}
      drawing={() => <CurveDrawing title={title} plot={plot} />}
    >
      <p class="train-number">
        <b>{shown(last?.y)}</b>
        <span>{last ? t.atStep(grouped(last.x)) : t.noPoint}</span>
      </p>
      <CurvePlot {...plot} />
      <p class="train-note">{note}</p>
    </Figure>
  );
}

function pointsOf<P extends { readonly step: number }>(
  points: readonly P[],
  of: (point: P) => number | undefined,
): Point[] {
  return points.flatMap((point) => {
    const y = of(point);
    return y === undefined ? [] : [{ x: point.step, y }];
  });
}

/** A baseline is known from the first evaluation on and drawn over the whole width. */
function wide(points: readonly Point[], totalSteps: number): Point[] {
  const [first, last] = [points[0], points[points.length - 1]];
  if (!first) return [];
  return [{ x: 1, y: first.y }, ...points, ...(last.x < totalSteps ? [{ x: totalSteps, y: last.y }] : [])];
}
