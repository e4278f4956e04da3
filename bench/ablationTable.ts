/** The results of an ablation, and the table that shows them. */
import type { HeldOutMetrics } from '../src/pretraining/metrics.js';
import type { AblationObjective } from './ablationSettings.js';
import type { ComputePlan, RunCost } from './equalCompute.js';
import type { ProbeScores } from './probe.js';

export type AblationPlan = ComputePlan;

export interface RunKey {
  readonly objective: AblationObjective;
  readonly learningRate: number;
  readonly seed: number;
}

export interface AblationRun extends RunKey, RunCost {
  readonly heldOut?: Partial<HeldOutMetrics>;
  readonly scores: ProbeScores;
}

/** What a probe reaches without pre-training; several scores where there is chance in it. */
export type Baselines = readonly { readonly name: string; readonly scores: readonly ProbeScores[] }[];

export function describeScores(scores: ProbeScores): string {
  return Object.entries(scores)
    .map(([task, { accuracy, matthews }]) => `${task} ${percent(accuracy)} % (Matthews ${percent(matthews)})`)
    .join(', ');
}

const percent = (value: number) => (100 * value).toFixed(1);

/** Mean ± standard deviation (of a sample, n − 1) in per cent; the mean alone of a single value. */
export function meanAndSpread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  if (values.length === 1) return percent(mean);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return `${percent(mean)} ± ${percent(Math.sqrt(variance))}`;
}

/** Markdown: one row for each objective and rate, then the baselines. */
export function ablationTable(plan: AblationPlan, runs: readonly AblationRun[], baselines: Baselines): string {
  const groups = new Map<string, AblationRun[]>();
  for (const run of runs) {
    const key = `${run.objective} ${run.learningRate}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const scoreCells = (scores: readonly ProbeScores[]) => {
    const of = (task: string, key: 'accuracy' | 'matthews') => meanAndSpread(scores.map((one) => one[task][key]));
    return [of('SST-2', 'accuracy'), of('CoLA', 'matthews'), of('CoLA', 'accuracy')];
  };
  const runRows = [...groups.values()].map((group) => {
    const [{ objective, learningRate, steps, tokensSeen }] = group;
    const losses = group.map(({ heldOut }) => heldOut?.totalLoss).filter((loss) => loss !== undefined);
    const loss = losses.length ? (losses.reduce((a, b) => a + b, 0) / losses.length).toFixed(3) : '–';
    const facts = [
      objective,
      String(learningRate),
      String(group.length),
      String(steps),
      (tokensSeen / 1e6).toFixed(1),
      loss,
    ];
    return [...facts, ...scoreCells(group.map(({ scores }) => scores))];
  });
  const baselineRows = baselines.map(({ name, scores }) => [
    name,
    '–',
    String(scores.length),
    '–',
    '–',
    '–',
    ...scoreCells(scores),
  ]);
  const header = [
    'objective',
    'rate',
    'seeds',
    'steps',
    'M tokens',
    'held-out loss',
    'SST-2 accuracy',
    'CoLA Matthews',
    'CoLA accuracy',
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    `${plan.flops.toExponential(2)} FLOPs a run; ${plan.size}, batch ${plan.batch}×${plan.length}. Scores in per cent, mean ± standard deviation over seeds.`,
    '',
    line(header),
    line(header.map(() => '---')),
    ...[...runRows, ...baselineRows].map(line),
    '',
  ].join('\n');
}
