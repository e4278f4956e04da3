/** All that decides how a run goes on, besides settings and tensors. */
export interface TrainerProgress {
  /** Steps done. */
  readonly step: number;
  /** Updates since the moments were last zero: Adam's t. Skipped steps do not count. */
  readonly updates: number;
  /** Index of the phase that the last step was in. */
  readonly phase: number;
  /** The step that the phase began with, where the number of all steps has changed since: else its share of them says so. */
  readonly phaseStart?: number;
  /** Steps of the whole run; undefined until a time budget has been turned into steps. */
  readonly totalSteps?: number;
  readonly tokensSeen: number;
  /** Time in training so far, all sessions together. */
  readonly elapsedMs: number;
  /** What rollbacks have multiplied the learning rate by. */
  readonly rateScale: number;
  readonly rollbacks: number;
  /** Steps in a row that were skipped because something was not finite. */
  readonly skippedInRow: number;
  /** Of a run with `patience`: the best score of the phase so far, and evaluations since. */
  readonly best?: { readonly score: number; readonly since: number };
}
