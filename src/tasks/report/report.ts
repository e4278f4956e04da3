/**
 * What an evaluation found, as data: figures, and sections that say where a model is wrong. Each task builds the sections that
 * fit it; `html/page.ts` draws them all, the command line shows the gist, and JSON has them as they are.
 */
import type { Metrics } from '../../training/objective.js';
import type { TaskNotice } from '../taskNotice.js';

/** How well one class is found. Fractions from 0 to 1; one whose denominator is 0 is 0. */
export interface ClassScores {
  readonly name: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** How often the data have it. */
  readonly rows: number;
  /** How often it was predicted. */
  readonly predicted: number;
}

/** What classes are: labels of texts, types of spans, numbers of choices. */
export type ClassKind = 'label' | 'type' | 'choice';

export interface ClassesSection {
  readonly kind: 'classes';
  readonly of: ClassKind;
  readonly classes: readonly ClassScores[];
}

/** One class taken for another. Without `wanted` there was nothing (spurious), without `got` nothing was found (missed). */
export interface ConfusedPair {
  readonly wanted?: string;
  readonly got?: string;
  readonly count: number;
}

export interface ConfusionSection {
  readonly kind: 'confusion';
  readonly of: ClassKind;
  readonly labels: readonly string[];
  /**
   * `counts[wanted][got]`, by index of a label. Where things can be missed or made up, a last line has what was made up, a
   * last column what was missed.
   */
  readonly counts: readonly (readonly number[])[];
  readonly hasNothing: boolean;
  /** Of spans: so many of those that were missed overlap one of their type that was made up: only the ends are wrong. */
  readonly otherEnds?: number;
  /** The most frequent first. */
  readonly largest: readonly ConfusedPair[];
}

/** Predictions whose probability lies in `from` (exclusive) to `to`. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean probability, and share that is right; undefined of an empty bin. */
  readonly confidence?: number;
  readonly accuracy?: number;
}

export interface ReliabilitySection {
  readonly kind: 'reliability';
  /** What each probability is of. */
  readonly of: 'text' | 'decision' | 'word' | 'answer';
  readonly bins: readonly ReliabilityBin[];
  /** 0 to 1. */
  readonly expectedCalibrationError: number;
}

export interface HistogramSection {
  readonly kind: 'histogram';
  /** What is counted, such as `residual`: predicted less wanted. */
  readonly of: 'residual';
  readonly bins: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

export interface ScatterSection {
  readonly kind: 'scatter';
  readonly numRows: number;
  /** [wanted, predicted]; of many rows every so many-th. */
  readonly points: readonly (readonly [wanted: number, got: number])[];
}

/** The questions of a kind, with the means of their scores. */
export interface ScoredGroup {
  readonly name: string;
  readonly rows: number;
  readonly f1: number;
  readonly exactMatch: number;
}

export interface GroupsSection {
  readonly kind: 'groups';
  readonly by: 'answerable' | 'answerLength' | 'questionWord';
  readonly groups: readonly ScoredGroup[];
}

/** UTF-16 units `start` to `end` (exclusive) of a text. */
export interface TextMark {
  readonly start: number;
  readonly end: number;
  readonly kind: 'wanted' | 'got' | 'entity';
  /** Written beside it. */
  readonly label?: string;
}

export interface ExampleText {
  /** Such as `question`, where an example has several texts. */
  readonly name?: string;
  readonly text: string;
  readonly marks?: readonly TextMark[];
}

/** An example that was answered wrongly. */
export interface ReportExample {
  /** Such as "dev.csv:17". */
  readonly place: string;
  readonly texts: readonly ExampleText[];
  readonly wanted: string;
  readonly got: string;
  /** That the model gave to what it said. */
  readonly probability?: number;
  /** Of an answer. */
  readonly f1?: number;
  /** Of numbers: predicted less wanted. */
  readonly difference?: number;
}

export interface ExamplesSection {
  readonly kind: 'examples';
  /** How many examples are wrong. */
  readonly numWrong: number;
  /** The worst first. */
  readonly examples: readonly ReportExample[];
}

export type ReportSection =
  | ClassesSection
  | ConfusionSection
  | ReliabilitySection
  | HistogramSection
  | ScatterSection
  | GroupsSection
  | ExamplesSection;

/** What a task says of a model, or of predictions. */
export interface Evaluated {
  readonly rows: number;
  /** With those of the baselines. */
  readonly metrics: Metrics;
  readonly sections: readonly ReportSection[];
  /** What of the data deserves a warning. */
  readonly notices?: readonly TaskNotice[];
}

export interface TaskReport extends Evaluated {
  /** Name of the task. */
  readonly task: string;
}
