/** Something of the data that deserves a warning. */
export interface TaskNotice {
  readonly code: string;
  readonly message: string;
  /** A full sentence. */
  readonly advice: string;
}
