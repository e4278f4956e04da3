/** What rows of a task's data are turned into, and where each came from. */

/** A text, or a pair of texts, with its label. */
export interface LabelledText {
  readonly text: string;
  readonly pair?: string;
  readonly label: string;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}

/** An example of any task, as `pleiad check` shows and counts it. */
export interface ExampleView {
  /** What the model reads. */
  readonly text: string;
  readonly pair?: string;
  /** What it learns to say: a label, several, or those of the words. */
  readonly labels: readonly string[];
  /** What it learns to say where that is no label, such as an answer. */
  readonly target?: string;
  /** What of the text is asked about, where rows with one text may ask about several things, such as two of its entities. */
  readonly about?: string;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}
