/**
 * Where a command's words go. Without `--json`, progress and results to standard output; with it, progress to standard error
 * and one JSON object to standard output. Notes go to standard error always. A live status line, colours and line breaks at the
 * width of the window are for terminals only.
 */
import { cutToWidth, wrapLine } from './columns.js';

/** The parts of a stream that are needed here. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type StyleName = keyof typeof STYLES;

/** Columns of a paragraph, at most. */
const PARAGRAPH_WIDTH = 114;

const CLEAR_LINE = '\r\x1b[2K';

export class Output {
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;
  readonly #progress: TextStream;
  readonly #color: boolean;
  readonly isJson: boolean;
  #status = false;

  /** @param environment  `NO_COLOR` (any value but the empty one) switches colours off, see no-color.org */
  constructor(
    { json }: { json: boolean },
    streams: { stdout: TextStream; stderr: TextStream } = process,
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.isJson = json;
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    this.#progress = json ? streams.stderr : streams.stdout;
    this.#color = this.#progress.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
  }

  /** An output that says nothing: of several processes that do one work, one speaks. */
  static silent(): Output {
    const stream = { write: () => true };
    return new Output({ json: false }, { stdout: stream, stderr: stream });
  }

  /** The same output in plain lines, as into a file: launchers give each process a terminal that nobody sits at. */
  plain(): Output {
    const stream = (to: TextStream) => ({ write: (text: string) => to.write(text) });
    return new Output({ json: this.isJson }, { stdout: stream(this.#stdout), stderr: stream(this.#progress) });
  }

  /** Whether progress is shown to a person who watches. */
  get isLive(): boolean {
    return this.#progress.isTTY === true;
  }

  get hasColor(): boolean {
    return this.#color;
  }

  /** A line of progress or of a result for people. */
  line(text = ''): void {
    this.#clearStatus();
    this.#progress.write(`${fitted(text, this.#progress)}\n`);
  }

  /** A text of several sentences, broken into lines wherever it is printed. */
  paragraph(text: string): void {
    const { isTTY, columns } = this.#progress;
    const width = isTTY && columns ? Math.min(columns, PARAGRAPH_WIDTH) : PARAGRAPH_WIDTH;
    for (const line of wrapLine(text, width, 0)) this.line(line);
  }

  /** A line that is no part of the results, with `--json` or without: to standard error. */
  note(text: string): void {
    this.#clearStatus();
    this.#stderr.write(`${fitted(text, this.#stderr)}\n`);
  }

  /** Shows a line that the next one overwrites; nothing unless `isLive`. */
  status(text: string): void {
    if (!this.isLive) return;
    // A terminal that does not know its width says 0.
    const width = (this.#progress.columns || 80) - 1;
    this.#progress.write(CLEAR_LINE + cutToWidth(text, width));
    this.#status = true;
  }

  /** The object of `--json`, as the last line of standard output; nothing without `--json`. */
  json(value: object): void {
    this.#clearStatus();
    if (this.isJson) this.#stdout.write(`${JSON.stringify(value)}\n`);
  }

  style(text: string, ...names: StyleName[]): string {
    if (!this.#color) return text;
    return names.reduce((inner, name) => `\x1b[${STYLES[name][0]}m${inner}\x1b[${STYLES[name][1]}m`, text);
  }

  /** Takes the status line away. */
  endStatus(): void {
    this.#clearStatus();
  }

  #clearStatus(): void {
    if (this.#status) this.#progress.write(CLEAR_LINE);
    this.#status = false;
  }
}

/** Broken between words where a terminal would break inside one; elsewhere lines are left for other programs to read. */
function fitted(text: string, { isTTY, columns }: TextStream): string {
  if (!isTTY || !columns) return text;
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns))
    .join('\n');
}
