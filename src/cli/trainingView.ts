/** Training events in words: a live status line on a terminal, plain lines elsewhere, and the summary at the end. */
import { type HeldOutMetrics, mlmBaseline } from '../pretraining/metrics.js';
import type { DoneEvent, ExtendedEvent, StepEvent, TrainingEvent } from '../training/events.js';
import type { Metrics } from '../training/objective.js';
import { duration, grouped } from './numbers.js';
import type { Output } from './output.js';

/** How what is learned is told. */
export interface LearningWords {
  /** Losses of a stretch of training, each a word and a figure. */
  losses(losses: StepEvent['losses']): string[];
  /** Metrics in one line. */
  metrics(metrics: Metrics): string;
}

/** A listener of a training run's events. */
export class TrainingView {
  /** @param words  by default those of pre-training */
  constructor(
    protected readonly output: Output,
    private readonly words: LearningWords = PRETRAINING_WORDS,
  ) {}

  show(event: TrainingEvent): void {
    const { output } = this;
    switch (event.type) {
      case 'started':
        output.line(`${event.objective}, ${grouped(event.numParameters)} parameters; ${event.engine}`);
        if (event.ranks) output.line(ranksLine(event.ranks));
        if (event.resumedFrom) output.line(`going on from ${event.resumedFrom}`);
        break;
      case 'loaded':
        for (const line of event.lines) output.line(line);
        break;
      case 'planned':
        output.line(`the time allows ${grouped(event.totalSteps)} steps of ${event.millisecondsPerStep.toFixed(0)} ms`);
        break;
      case 'extended':
        output.line(extendedLine(event));
        break;
      case 'forecast':
        output.line(`expected: ${event.message}. docs/results.md has those runs.`);
        if (event.advice) output.line(output.style(event.advice, 'yellow'));
        break;
      case 'phase':
        output.line(`step ${event.step}: phase ${event.name}`);
        break;
      case 'step':
        if (output.isLive) output.status(stepLine(event, this.words));
        else output.line(stepLine(event, this.words));
        break;
      case 'evaluation':
        output.line(`step ${event.step}, held out: ${this.words.metrics(event.metrics)}`);
        break;
      case 'checkpoint':
        output.line(output.style(`step ${event.step}: ${event.path}${event.isBest ? ' (best)' : ''}`, 'dim'));
        break;
      case 'warning':
        output.line(output.style(`warning, step ${event.step}: ${event.message}. ${event.advice}`, 'yellow'));
        break;
      case 'done':
        break;
    }
  }
}

/** How many ranks there are and where, for instance "4 ranks: node1 (2), node2 (2)". */
export function ranksLine(hosts: readonly string[]): string {
  const names = [...new Set(hosts)];
  const counts = names.map((name) => `${name} (${hosts.filter((host) => host === name).length})`);
  const shown = counts.slice(0, 8).join(', ');
  return `${hosts.length} ranks: ${shown}${names.length > 8 ? ` and ${names.length - 8} machines more` : ''}`;
}

/** What a run was given more, and what that does to its learning rate. */
export function extendedLine({ step, more, moreSteps, totalSteps, stepsBefore, learningRate }: ExtendedEvent): string {
  const amount = [...(moreSteps === undefined ? [] : [`${grouped(moreSteps)} steps`]), ...(more ? [more] : [])];
  const end = totalSteps === undefined ? 'the steps that fit are measured first' : `to step ${grouped(totalSteps)}`;
  const planned = stepsBefore === undefined || stepsBefore === totalSteps ? '' : ` (it was ${grouped(stepsBefore)})`;
  const { last, next } = learningRate;
  const rate = (value: number) => value.toPrecision(2);
  const went = last === undefined ? '' : `was ${rate(last)} and `;
  return `${amount.join(' or ')} more from step ${grouped(step)}, ${end}${planned}; the learning rate ${went}goes on at ${rate(next)}`;
}

/** Step, losses, speed, time left. */
export function stepLine(event: StepEvent, words = PRETRAINING_WORDS): string {
  const total = event.totalSteps === undefined ? '' : `/${grouped(event.totalSteps)}`;
  return [
    `step ${grouped(event.step)}${total}`,
    ...words.losses(event.losses),
    `${grouped(event.tokensPerSecond)} tokens/s`,
    ...(event.totalSteps === undefined ? [] : [`${duration(remainingMs(event, event.totalSteps))} left`]),
  ].join('  ');
}

/** A word and a figure, where there is one. */
export function figure(name: string, value: number | undefined, digits: number): string[] {
  return value === undefined ? [] : [`${name} ${value.toFixed(digits)}`];
}

const PRETRAINING_WORDS: LearningWords = { losses: pretrainingLosses, metrics: heldOutLine };

function pretrainingLosses(losses: StepEvent['losses']): string[] {
  const { mlmLoss, mlmBits, discLoss, sboLoss, sboBits, nspLoss, replacedRate } = losses;
  return [
    ...figure(discLoss === undefined ? 'masked LM' : 'generator', mlmLoss, 3),
    ...(discLoss === undefined ? figure('=', mlmBits, 3).map((text) => `${text} bits`) : []),
    ...figure('boundaries', sboLoss, 3),
    ...figure('=', sboBits, 3).map((text) => `${text} bits`),
    ...figure('next sentence', nspLoss, 3),
    ...figure('discriminator', discLoss, 4),
    ...figure('replaced', replacedRate === undefined ? undefined : 100 * replacedRate, 1).map((text) => `${text} %`),
  ];
}

function remainingMs({ step, elapsedMs }: StepEvent, totalSteps: number): number {
  return (elapsedMs / step) * (totalSteps - step);
}

function heldOutLine({
  generatorLoss,
  mlmLoss,
  sboLoss,
  nspLoss,
  discriminatorLoss,
  rtdAuc,
}: Partial<HeldOutMetrics>): string {
  const figures = {
    'generator loss': generatorLoss,
    'masked LM loss': mlmLoss,
    'span boundary loss': sboLoss,
    'next-sentence loss': nspLoss,
    'discriminator loss': discriminatorLoss,
    AUC: rtdAuc,
  };
  return Object.entries(figures)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value.toFixed(3)}`]))
    .join(', ');
}

/** What was reached on held-out text, each figure beside what a model that learned nothing reaches. */
export function heldOutSummary(heldOut: Partial<HeldOutMetrics>): string[] {
  const { unigramCrossEntropy, replacedEntropy } = heldOut;
  const unigram = (baseline: number | undefined) => beside(baseline, 'unigram cross-entropy');
  const inBits = (bits: number | undefined) => (bits === undefined ? '' : `   ${bits.toFixed(4)} bits`);
  const chance = (figure: number | undefined, value: number) =>
    beside(figure === undefined ? undefined : value, 'chance');
  const rows: [name: string, value: number | undefined, beside: string][] = [
    ['generator loss', heldOut.generatorLoss, unigram(unigramCrossEntropy)],
    ['generator accuracy', heldOut.generatorAccuracy, ''],
    ['masked LM loss', heldOut.mlmLoss, inBits(heldOut.mlmBits) + unigram(mlmBaseline(heldOut))],
    ['masked LM accuracy', heldOut.mlmAccuracy, ''],
    ['span boundary loss', heldOut.sboLoss, inBits(heldOut.sboBits) + unigram(unigramCrossEntropy)],
    ['span boundary accuracy', heldOut.sboAccuracy, ''],
    ['next-sentence loss', heldOut.nspLoss, chance(heldOut.nspLoss, Math.LN2)],
    ['next-sentence accuracy', heldOut.nspAccuracy, chance(heldOut.nspAccuracy, 0.5)],
    ['replaced rate r', heldOut.replacedRate, ''],
    ['discriminator loss', heldOut.discriminatorLoss, beside(replacedEntropy, 'H(r), telling nothing apart')],
    ['discriminator AUC', heldOut.rtdAuc, chance(heldOut.rtdAuc, 0.5)],
    ['precision', heldOut.rtdPrecision, ''],
    ['recall', heldOut.rtdRecall, ''],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value, note]) => `  ${name.padEnd(22)}${value!.toFixed(4).padStart(9)}${note}`);
}

function beside(baseline: number | undefined, name: string): string {
  return baseline === undefined ? '' : `   baseline ${baseline.toFixed(4)} (${name})`;
}

/** The last words of a run. */
export function runSummary(done: DoneEvent): string[] {
  const { metrics, checkpoint } = done;
  return [
    speedLine(done),
    ...(metrics ? ['on held-out text:', ...heldOutSummary(metrics)] : []),
    ...(checkpoint ? [`checkpoint: ${checkpoint}`] : []),
  ];
}

/** What was trained, how fast, in which time. */
export function speedLine({ step, trainedSteps, tokensSeen, tokensPerSecond, elapsedMs }: DoneEvent): string {
  const whole = trainedSteps === step ? '' : `${grouped(trainedSteps)} steps trained now; in all `;
  return `${whole}${grouped(step)} steps, ${grouped(tokensSeen)} tokens, ${grouped(tokensPerSecond)} tokens/s, ${duration(elapsedMs)}`;
}

/** The keys of `pretrain --json`. */
export function runJson({ type: _, step: __, metrics, ...done }: DoneEvent): object {
  return { ...done, ...(metrics && { heldOut: metrics }) };
}
