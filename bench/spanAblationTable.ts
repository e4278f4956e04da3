/** The results of the span ablation, and the table that shows them. */
import type { HeldOutMetrics } from '../src/pretraining/metrics.js';
import type { ComputePlan, RunCost } from './equalCompute.js';
import type { LengthScores } from './spanInfilling.js';

/** In the order of the paper's tables: what is masked. */
export const SPAN_ABLATION_MASKINGS = ['random', 'whole-word', 'span'] as const;
export type SpanAblationMasking = (typeof SPAN_ABLATION_MASKINGS)[number];

export interface SpanRunKey {
  readonly masking: SpanAblationMasking;
  readonly sbo: boolean;
  readonly learningRate: number;
  readonly seed: number;
}

export interface SpanRun extends SpanRunKey, RunCost {
  /** On text masked as in training: of use within one masking only. */
  readonly heldOut?: Partial<HeldOutMetrics>;
  /** On the same spans for every run. */
  readonly infilling: readonly LengthScores[];
  /** F1 of extractive question answering after fine-tuning, 0 to 1; filled in once that was done. */
  readonly questionAnsweringF1?: number;
}

/** Spans of so many words together in one column. */
const GROUPS = [
  { name: '1', least: 1, most: 1 },
  { name: '2–3', least: 2, most: 3 },
  { name: '4–10', least: 4, most: 10 },
] as const;
type Head = 'mlm' | 'sbo' | 'both';

/** Nats a piece over all spans. */
function loss(scores: readonly LengthScores[], head: 'mlm' | 'sbo'): number | undefined {
  const pieces = scores.reduce((sum, one) => sum + one.pieces, 0);
  return scores.every((one) => one.lossSum[head] !== undefined)
    ? scores.reduce((sum, one) => sum + one.lossSum[head]!, 0) / pieces
    : undefined;
}

/** Share of the spans that are wholly right. */
function exact(
  scores: readonly LengthScores[],
  head: Head,
  { least, most }: { least: number; most: number },
): number | undefined {
  const group = scores.filter(({ words }) => words >= least && words <= most);
  const spans = group.reduce((sum, one) => sum + one.spans, 0);
  return group.every((one) => one.exact[head] !== undefined)
    ? group.reduce((sum, one) => sum + one.exact[head]!, 0) / spans
    : undefined;
}

/** Mean ± standard deviation (of a sample, n − 1); – where there is nothing. */
function spread(values: readonly (number | undefined)[], digits: number, factor = 1): string {
  const known = values.filter((value) => value !== undefined).map((value) => factor * value);
  if (known.length === 0) return '–';
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  if (known.length === 1) return mean.toFixed(digits);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1);
  return `${mean.toFixed(digits)} ± ${Math.sqrt(variance).toFixed(digits)}`;
}

const HEADER = [
  'masking',
  'SBO',
  'rate',
  'seeds',
  'steps',
  'M tokens',
  'MLM, nats a piece',
  'boundaries, nats a piece',
  ...(['MLM', 'boundaries', 'both'] as const).flatMap((head) =>
    GROUPS.map(({ name }, i) => (i === 0 ? `${head}: exact, ${name} word` : `${name} words`)),
  ),
  'QA F1',
];

function scoreCells(runs: readonly (readonly LengthScores[])[]): string[] {
  return [
    spread(
      runs.map((scores) => loss(scores, 'mlm')),
      3,
    ),
    spread(
      runs.map((scores) => loss(scores, 'sbo')),
      3,
    ),
    ...(['mlm', 'sbo', 'both'] as const).flatMap((head) =>
      GROUPS.map((group) =>
        spread(
          runs.map((scores) => exact(scores, head, group)),
          1,
          100,
        ),
      ),
    ),
  ];
}

/** Markdown: one row for each masking with and without SBO, then what word frequencies alone reach. */
export function spanAblationTable(
  plan: ComputePlan,
  runs: readonly SpanRun[],
  unigram: readonly LengthScores[],
): string {
  const groups = new Map<string, SpanRun[]>();
  for (const run of runs) {
    const key = `${run.masking} ${run.sbo} ${run.learningRate}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const rows = [...groups.values()].map((group) => {
    const [{ masking, sbo, learningRate, steps, tokensSeen }] = group;
    return [
      masking,
      sbo ? 'yes' : 'no',
      String(learningRate),
      String(group.length),
      String(steps),
      (tokensSeen / 1e6).toFixed(1),
      ...scoreCells(group.map(({ infilling }) => infilling)),
      spread(
        group.map((run) => run.questionAnsweringF1),
        1,
        100,
      ),
    ];
  });
  const baseline = ['*word frequencies*', '–', '–', '–', '–', '–', ...scoreCells([unigram]), '–'];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const spans = unigram.reduce((sum, one) => sum + one.spans, 0);
  return [
    `${plan.flops.toExponential(2)} FLOPs a run; ${plan.size}, batch ${plan.batch}×${plan.length}. ${spans} held-out spans of 1 to 10 words, the same for all. Exact matches in per cent; mean ± standard deviation over seeds.`,
    '',
    line(HEADER),
    line(HEADER.map(() => '---')),
    ...[...rows, baseline].map(line),
    '',
  ].join('\n');
}
