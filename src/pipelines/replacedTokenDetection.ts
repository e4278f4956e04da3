/** Which tokens of a text do not look like the original: ELECTRA's discriminator, arXiv 2003.10555 §2. */
import type { Model, RowOptions } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { sigmoid } from './probabilities.js';
import { textWindows } from './windows.js';

/** A token of the text, in order. */
export interface DetectedToken {
  /** The word piece, with `##` where it continues a word. */
  readonly token: string;
  /** First UTF-16 unit of the token in the original text. */
  readonly start: number;
  /** UTF-16 unit after the last. */
  readonly end: number;
  /** Probability that the token was replaced, 0 to 1. */
  readonly replaced: number;
}

export interface ReplacedTokenDetector {
  readonly tokenizer: WordPieceTokenizer;
  /** Tokens of one text, or of each of several. Longer texts than the model takes are read in overlapping windows. */
  detect(text: string): Promise<DetectedToken[]>;
  detect(texts: readonly string[]): Promise<DetectedToken[][]>;
  /** Releases the model, with an engine that is its own. */
  release(): Promise<void>;
}

const LOGITS: RowOptions = { outputs: ['logits'] };

/**
 * @param model  a discriminator
 * @throws CheckpointError when its weights do not fit its config
 */
export async function replacedTokenDetection(model: Model): Promise<ReplacedTokenDetector> {
  const tokenizer = requireTokenizer(model);
  await model.prepare(LOGITS);
  function detect(text: string): Promise<DetectedToken[]>;
  function detect(texts: readonly string[]): Promise<DetectedToken[][]>;
  async function detect(input: string | readonly string[]): Promise<DetectedToken[] | DetectedToken[][]> {
    return typeof input === 'string' ? (await detectAll(model, [input]))[0] : detectAll(model, input);
  }
  return { tokenizer, detect, release: () => model.release() };
}

async function detectAll(model: Model, texts: readonly string[]): Promise<DetectedToken[][]> {
  const windows = texts.flatMap((text, index) =>
    textWindows(requireTokenizer(model), text, model.maxLength)
      .filter(({ keepFrom, keepTo }) => keepFrom < keepTo)
      .map((window) => ({ ...window, text: index })),
  );
  const detected: DetectedToken[][] = windows.map(() => []);
  const rows = windows.map(({ encoding }) => ({ ids: encoding.ids }));
  await model.forEachRow(rows, LOGITS, (row, { logits }) => {
    const { encoding, keepFrom, keepTo } = windows[row];
    for (let position = keepFrom; position < keepTo; position++) {
      detected[row].push({
        token: encoding.tokens[position],
        start: encoding.offsets[2 * position],
        end: encoding.offsets[2 * position + 1],
        replaced: sigmoid(logits[position]),
      });
    }
  });
  return texts.map((_, text) => detected.filter((_tokens, row) => windows[row].text === text).flat());
}
