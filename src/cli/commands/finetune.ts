import { checkpointOf, readRunFile } from '../../checkpoint/runFile.node.js';
import { readTrainerFile } from '../../checkpoint/trainerFile.node.js';
import { type FineTuningRunFile, finetune as finetuneToFolder } from '../../tasks/finetune.node.js';
import type { FineTuningInput } from '../../tasks/settings.js';
import { finetuneTrials, type TrialsEvent } from '../../tasks/trials.node.js';
import type { DoneEvent } from '../../training/events.js';
import type { CommandDefinition, OptionValues } from '../command.js';
import type { Output } from '../output.js';
import { TASK_FILE_ARGUMENT, TASK_OPTIONS, taskOfUser } from '../taskFile.js';
import { type TaskWords, wordsOfTask } from '../taskWords.js';
import { RANK_TIMEOUT_OPTION, resultOf, runTraining } from '../trainingCommand.js';
import { speedLine, TrainingView } from '../trainingView.js';
import { TrialsView, trialsJson, trialsSummary } from '../trialsView.js';

export const finetune: CommandDefinition = {
  name: 'finetune',
  summary: 'Fine-tunes an encoder for a task on rows with labels and writes a run folder.',
  arguments: [TASK_FILE_ARGUMENT],
  options: [...TASK_OPTIONS, RANK_TIMEOUT_OPTION],
  examples: [
    'pleiad finetune --task text-classification --from google/electra-small-discriminator --train train.csv --dev dev.csv --columns text=Review,label=Stars --out run/',
    'pleiad finetune --out run/ --resume',
    'pleiad finetune reviews.yaml --learning-rate 1e-4 --trials 3',
  ],

  async run([word], { rankTimeout, ...options }, { output }) {
    const { settings, trials } = taskOfUser(word, options);
    const out = String(settings.out);
    const words = wordsOfTask(taskNameOf(settings));
    if (trials > 1) return runTrials(settings, { trials, out, words, output, rankTimeout });
    return runTraining(
      {
        train: (running) => finetuneToFolder(settings, running),
        view: (own) => new TrainingView(own, words.learning),
        summary: (done) => summary(out, resultOf(done), words),
        json: (done) => ({ ...numbersOf(resultOf(done)), ...bestOf(out), model: out }),
      },
      { output, rankTimeout },
    );
  },
};

interface TrialsOfUser {
  readonly trials: number;
  readonly out: string;
  readonly words: TaskWords;
  readonly output: Output;
  readonly rankTimeout: OptionValues[string];
}

function runTrials(settings: Partial<FineTuningInput>, { trials, out, words, output, rankTimeout }: TrialsOfUser) {
  let ended: TrialsEvent | undefined;
  let view: TrialsView | undefined;
  return runTraining(
    {
      async *train(running) {
        for await (const event of finetuneTrials(settings, { ...running, trials })) {
          if (event.type === 'trials') ended = event;
          if (event.type === 'trial-started' || event.type === 'trial') view?.showTrial(event);
          else if (event.type !== 'trials') yield event;
        }
      },
      view: (own) => (view = new TrialsView(own, words.learning)),
      summary: (done) => (ended ? trialsSummary(out, ended) : [speedLine(resultOf(done))]),
      json: (done) => (ended ? { ...trialsJson(ended), model: out } : { ...numbersOf(resultOf(done)), model: out }),
    },
    { output, rankTimeout },
  );
}

/** The task that is learned: as given, else that of the run that is resumed. */
function taskNameOf({ task, out, resume }: Record<string, unknown>): string | undefined {
  if (typeof task === 'string') return task;
  if (!resume || typeof out !== 'string') return undefined;
  return readRunFile<FineTuningRunFile>(out)?.settings.task;
}

/** The best checkpoint, which is what the run is used by. */
function bestOf(out: string) {
  const checkpoint = checkpointOf(out, 'best');
  const { progress, evaluation } = readTrainerFile(checkpoint);
  return { metrics: evaluation?.metrics ?? {}, best: { step: progress.step, checkpoint } };
}

function numbersOf({ type: _, step: __, metrics, ...done }: DoneEvent): object {
  return { ...done, ...(metrics && { lastMetrics: metrics }) };
}

function summary(out: string, done: DoneEvent, words: TaskWords): string[] {
  const { metrics, best } = bestOf(out);
  return [
    speedLine(done),
    `best on the dev data, step ${best.step}:`,
    ...words.summary(metrics),
    `checkpoint: ${best.checkpoint}`,
    `Use it: ${words.use(out)}`,
  ];
}
