/** What a chapter of the book is: one idea, as data. */
import type { FunctionComponent, JSX } from 'preact';
import type { Words } from '../../app/words.js';
import type { ScreenProps } from '../screen.js';

export interface Chapter {
  /** Its name in the address. */
  readonly id: string;
  readonly title: Words<{ readonly text: string }>;
  /** A sentence or two: `*stressed*` words stand between stars. */
  readonly text: Words<{ readonly text: string }>;
  /** MathML. */
  readonly formula: JSX.Element;
  /** The formula as it is read aloud. */
  readonly spoken: Words<{ readonly text: string }>;
  /** Of the paper. */
  readonly source: string;
  /** The line that runs, letter by letter, and the file that it stands in: a test holds them to each other. */
  readonly line: string;
  readonly file: string;
  readonly Figure: FunctionComponent<ChapterFigureProps>;
}

export type ChapterFigureProps = Pick<ScreenProps, 'state' | 'change' | 'did'>;
