/** Which tokens of a text do not look like the original: ELECTRA's discriminator, arXiv 2003.10555 §2. */
import { discriminatorGraph } from '../models/electra.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { EncoderModel, type PipelineOptions } from './encoderModel.js';
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
  /** Frees the model; the engine stays. */
  release(): Promise<void>;
}

/**
 * Loads a discriminator.
 * @throws CheckpointError when the weights or the tokenizer do not fit the config
 */
export async function replacedTokenDetection(options: PipelineOptions): Promise<ReplacedTokenDetector> {
  const model = await EncoderModel.load(discriminatorGraph(options.config), options, 'replaced-token detection');
  function detect(text: string): Promise<DetectedToken[]>;
  function detect(texts: readonly string[]): Promise<DetectedToken[][]>;
  async function detect(input: string | readonly string[]): Promise<DetectedToken[] | DetectedToken[][]> {
    return typeof input === 'string' ? (await detectAll(model, [input]))[0] : detectAll(model, input);
  }
  return { tokenizer: model.tokenizer, detect, release: () => model.release() };
}

async function detectAll(model: EncoderModel, texts: readonly string[]): Promise<DetectedToken[][]> {
  const windows = texts.flatMap((text, index) =>
    textWindows(model.tokenizer, text, model.maxLength)
      .filter(({ keepFrom, keepTo }) => keepFrom < keepTo)
      .map((window) => ({ ...window, text: index })),
  );
  const detected: DetectedToken[][] = windows.map(() => []);
  await model.run(
    windows.map(({ encoding }) => encoding.ids),
    ({ logits }, { rows, length }) => {
      rows.forEach((row, i) => {
        const { encoding, keepFrom, keepTo } = windows[row];
        for (let position = keepFrom; position < keepTo; position++) {
          detected[row].push({
            token: encoding.tokens[position],
            start: encoding.offsets[2 * position],
            end: encoding.offsets[2 * position + 1],
            replaced: sigmoid(logits.data[i * length + position]),
          });
        }
      });
    },
  );
  return texts.map((_, text) => detected.filter((_tokens, row) => windows[row].text === text).flat());
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
