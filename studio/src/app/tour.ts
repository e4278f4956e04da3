/** A tour is data: what to look at, what to try, and how the page sees that it was done. No step has a button "next". */
import type { ScreenState } from './address.js';
import type { Words } from './words.js';

export interface TourView {
  readonly state: ScreenState;
  /** What the screen reported through `did`. */
  readonly did: ReadonlySet<string>;
}

export interface TourStep {
  /** Value of `data-tour` of what the step is about. */
  readonly target: string;
  readonly text: Words<{ readonly text: string }>;
  done(view: TourView): boolean;
}
