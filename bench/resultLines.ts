/** Results as lines of JSON in a file: each is there once it is made, and a run that is started again makes those that are missing. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export class ResultLines<T extends object> {
  readonly #path: string;
  readonly #lines: T[];

  /** Reads what is there; the last line of a process that was killed may be half a line, and is dropped. */
  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) writeFileSync(path, whole);
    this.#lines = whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  }

  get lines(): readonly T[] {
    return this.#lines;
  }

  add(line: T): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
    this.#lines.push(line);
  }
}
