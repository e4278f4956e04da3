/** Texts with a word of a label in a template, as token rows: "a gorgeous film It was great." and where "great" stands in it. */
import { DataError, SettingsError } from '../errors/errors.js';
import { settingName } from '../settings/settingNames.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** A row of tokens, and the positions in it of a label's word. */
export interface LabelRow {
  readonly ids: Int32Array;
  readonly positions: readonly number[];
}

const PLACES = /(\{text\}|\{label\})/;

export class LabelTemplate {
  readonly #tokenizer: WordPieceTokenizer;
  readonly #parts: readonly string[];
  readonly #maxLength: number;

  /**
   * @param template  with `{text}` and `{label}`, once each
   * @throws SettingsError for another one
   */
  constructor(template: string, tokenizer: WordPieceTokenizer, maxLength: number) {
    this.#parts = template.split(PLACES);
    const missing = ['{text}', '{label}'].filter((place) => this.#parts.filter((part) => part === place).length !== 1);
    if (missing.length > 0) {
      throw new SettingsError([
        `${settingName('template')} is ${JSON.stringify(template)}; expected ${missing.join(' and ')} once in it, such as "{text} It was {label}."`,
      ]);
    }
    this.#tokenizer = tokenizer;
    this.#maxLength = maxLength;
  }

  /**
   * The rows of a text with each of some words. A text that is too long beside one of them loses its end, for all of them alike.
   * @throws DataError for a word that the vocabulary does not know
   * @throws SettingsError when the template leaves no room
   */
  rows(text: string, words: readonly string[]): LabelRow[] {
    let fitting = text;
    for (;;) {
      const encoded = words.map((word) => this.#encode(fitting, word));
      const excess = Math.max(...encoded.map(({ ids }) => ids.length)) - this.#maxLength;
      if (excess <= 0) return encoded;
      if (fitting === '') throw this.#noRoom(words[0], excess);
      fitting = this.#shortened(fitting, excess);
    }
  }

  #encode(text: string, word: string): LabelRow {
    let written = '';
    let [start, end] = [0, 0];
    for (const part of this.#parts) {
      if (part === '{label}') start = written.length;
      written += part === '{text}' ? text : part === '{label}' ? word : part;
      if (part === '{label}') end = written.length;
    }
    // What is written in a text is text: "[MASK]" in a review is no mask.
    const { ids, offsets, specialTokensMask } = this.#tokenizer.encode(written, { parseSpecialTokens: false });
    const positions = Array.from(ids.keys()).filter(
      (at) => specialTokensMask[at] === 0 && offsets[2 * at] < end && offsets[2 * at + 1] > start,
    );
    const isUnknown = positions.some((at) => ids[at] === this.#tokenizer.unkId);
    if (positions.length > 0 && !isUnknown) return { ids, positions };
    throw new DataError(
      `the label word ${JSON.stringify(word)} ${isUnknown ? 'is not in the vocabulary of the model' : 'has no letter'}`,
      {
        subject: 'labels',
        found: word,
        expected: 'words that the model knows',
        advice: `Name other words for the label, such as ${settingName('labels')} { positive: ["great", "good"] }`,
      },
    );
  }

  #shortened(text: string, excess: number): string {
    const { offsets, length } = this.#tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false });
    const kept = length - excess;
    return kept <= 0 ? '' : text.slice(0, offsets[2 * kept - 1]);
  }

  #noRoom(word: string, excess: number): SettingsError {
    return new SettingsError([
      `${settingName('template')} with ${JSON.stringify(word)} has ${this.#maxLength + excess} tokens without a text; expected fewer than ${this.#maxLength}, a row of the model`,
    ]);
  }
}
