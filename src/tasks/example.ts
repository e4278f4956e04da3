/** Rows of a task's data, as they come out of a table, and where each came from. */

/** A row of a table: its cells by column. */
export interface TableRow {
  readonly cells: Readonly<Record<string, string>>;
  /** For messages, such as "train.csv:17". */
  readonly place: string;
}

/** A text, or a pair of texts, with its label. */
export interface LabelledText {
  readonly text: string;
  readonly pair?: string;
  readonly label: string;
  readonly place: string;
}
