/** What a screen is. A screen is a folder here with its line of the table (NAME.ts), which screens.ts lists. */
import type { FunctionComponent } from 'preact';
import type { ScreenState, StateChanges } from '../app/address.js';
import type { TourStep } from '../app/tour.js';
import type { Words } from '../app/words.js';

export interface ScreenProps {
  /** What the address says after `?`: all state that another reader should see. Values come from outside: check them. */
  readonly state: ScreenState;
  change(changes: StateChanges): void;
  /** Notes something that the reader did and that the address does not show, for the tour: `did('drew-the-original')`. */
  did(what: string): void;
}

export interface Screen {
  /** Its name in the address. */
  readonly id: string;
  readonly title: Words<{ readonly title: string }>;
  readonly Component: FunctionComponent<ScreenProps>;
  readonly tour: readonly TourStep[];
}
