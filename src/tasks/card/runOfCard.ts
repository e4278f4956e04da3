/** What a model card and a task file say of a run. Names of files stand without their folders: cards are for others, too. */
import type { ModelDescription } from '../../checkpoint/modelFolder.js';
import type { TokenBatch } from '../../training/objective.js';
import type { ExampleView } from '../example.js';
import type { FineTuningInput, FineTuningSettings } from '../settings.js';
import type { TaskData } from '../task.js';

export interface RunOfCard {
  readonly settings: FineTuningSettings;
  /** As the user gave them. */
  readonly given: Partial<FineTuningInput>;
  readonly data: DataOfCard;
  /** As it is trained, with what its task keeps in its config.json. */
  readonly model: ModelDescription;
  /** Of the model that training started from, where that was one of the hub. */
  readonly hub?: { readonly repository: string; readonly commit: string };
}

export interface DataOfCard {
  readonly numTrainRows: number;
  readonly numDevRows: number;
  readonly labels: readonly string[];
  /** Some of the training rows. */
  readonly examples: readonly ExampleView[];
}

/** Rows that are looked at: enough to see whether they are pairs, and of which script. */
const LOOKED_AT = 200;

export function dataOfCard({ numRows, labels, examples }: TaskData<TokenBatch>): DataOfCard {
  const { train, dev } = examples;
  return { numTrainRows: numRows, numDevRows: dev.length, labels, examples: train.slice(0, LOOKED_AT) };
}

/** "dev.csv" of "/home/ada/dev.csv". */
export function baseName(path: string): string {
  return path.replace(/[\\/]+$/, '').replace(/^.*[\\/]/, '');
}

/** What the run started from, for people. */
export function startName({ settings, hub }: Pick<RunOfCard, 'settings' | 'hub'>): string {
  return hub?.repository ?? baseName(settings.from);
}
