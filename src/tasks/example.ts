/** What rows of a task's data are turned into, and where each came from. */

/** A text, or a pair of texts, with its label. */
export interface LabelledText {
  readonly text: string;
  readonly pair?: string;
  readonly label: string;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}
