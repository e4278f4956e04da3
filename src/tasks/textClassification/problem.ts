/** What a problem type decides: which labels there are, what a row's target is, the loss, the metrics. */
import type { Tensor } from '../../engine/engine.js';
import type { GraphBuilder, Node } from '../../graph/graph.js';
import type { Metrics } from '../../training/objective.js';
import type { LabelledText } from '../example.js';
import type { TaskNotice } from '../task.js';
import type { ProblemType } from './problemType.js';

/** Where labels come from. */
export interface LabelSource {
  /** Name of the file. */
  readonly source: string;
  readonly column: string;
  /** Labels in order, as the user gave them. */
  readonly given?: readonly string[];
  /** Whether the user said what type the problem is. */
  readonly isSaid: boolean;
}

export interface Problem {
  readonly type: ProblemType;
  /** What the best checkpoint can be chosen by, the default first. */
  readonly metrics: readonly string[];
  /** @throws DataError when nothing can be learned of the labels, or they are of another problem type */
  labelsOf(texts: readonly LabelledText[], source: LabelSource): string[];
  /**
   * Makes sure that every row has a target.
   * @param known  for messages, such as "the labels of the model are"
   * @throws DataError naming the first row that has none
   */
  check(texts: readonly LabelledText[], labels: readonly string[], known: string): void;
  /** Of one row that was checked: its class, or 0 or 1 for each label, or its number. */
  targetOf(text: LabelledText, labels: readonly string[]): number[];
  /** The labels in a row's cell, for counting; none where it is a number. */
  labelsOfCell(label: string): readonly string[];
  /** What deserves a warning. */
  notices(train: readonly LabelledText[], dev: readonly LabelledText[], labels: readonly string[]): TaskNotice[];
  /** A warning where rows to evaluate on have one class alone. @param file  the setting that names them */
  oneClassNotices(texts: readonly LabelledText[], file: 'dev' | 'data'): TaskNotice[];
  /** Numbers that the loss of one row is averaged over. */
  termsOfRow(numLabels: number): number;
  /** The targets of a batch as the graph's input. */
  declare(g: GraphBuilder, numLabels: number): Node;
  tensor(targets: Float32Array, numLabels: number): Tensor;
  /**
   * The loss as a sum over terms; names `labelLossSum` as an output, and `labelCorrect` where there are hits.
   * @param logits   float32 [B, labels]
   * @param weights  of the rows, float32 [B]
   */
  loss(g: GraphBuilder, logits: Node, inputs: { readonly labels: Node; readonly weights: Node }): Node;
  /** @param targets  of all rows, one after another */
  metricsOf(logits: Float64Array, targets: readonly number[], numLabels: number): Metrics & { readonly loss: number };
}
