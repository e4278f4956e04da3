/** Several runs of one fine-tuning in words. */
import type { TrialEvent, TrialStartedEvent, TrialsEvent } from '../tasks/trials.node.js';
import { tableLines } from './columns.js';
import { TrainingView } from './trainingView.js';

/** A listener of the events of all trials. */
export class TrialsView extends TrainingView {
  showTrial(event: TrialStartedEvent | TrialEvent): void {
    if (event.type === 'trial-started') {
      const { number, wanted, seed, out } = event;
      const which =
        number <= wanted ? `trial ${number} of ${wanted}` : `trial ${number}, instead of one that got stuck`;
      this.output.line(this.output.style(`${which}: seed ${seed}, ${out}`, 'bold'));
      return;
    }
    const { isStuck, seed, evaluation } = event.trial;
    if (!isStuck) return;
    const advice = 'It does not count; a smaller learning rate or a longer warm-up makes this rarer.';
    const warning = `warning: seed ${seed} got stuck at one answer for everything (score ${evaluation.score.toFixed(4)}). ${advice}`;
    this.output.line(this.output.style(warning, 'yellow'));
  }
}

/** A line a trial, and what they come to together. */
export function trialsSummary(out: string, { trials, best, spread }: TrialsEvent): string[] {
  const rows = trials.map(({ seed, folder, evaluation, isStuck }) => [
    String(seed),
    evaluation.score.toFixed(4),
    `${folder}${folder === best ? ' (best)' : ''}${isStuck ? ' (stuck, not counted)' : ''}`,
  ]);
  const columns = [{ title: 'seed', align: 'right' }, { title: 'score', align: 'right' }, { title: 'run' }] as const;
  const figures = Object.entries(spread).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [...tableLines(columns, rows), figures.join(', '), `Its best: --model ${out}`];
}

export function trialsJson({ type: _, trials, best, spread }: TrialsEvent): object {
  return { trials, best, ...spread };
}
