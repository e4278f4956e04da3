/** `token-classification`: the parts of a text that a tagger finds, such as names of persons and places. */
import { z } from 'zod';
import type { Model } from '../pretrained/model.js';
import { requireTokenizer } from '../pretrained/requireTokenizer.js';
import { labelsOfModel, TAGGER_OUTPUTS, unitsOfModel } from '../tasks/tokenClassification/predictions.js';
import { OUTSIDE } from '../tasks/tokenClassification/tags.js';
import { joinedUnits, type WordRules, wordRulesOf } from '../tasks/tokenClassification/wordRules.js';
import { pieceWindows } from '../text/pieceWindows.js';
import type { Pipeline, PipelineCall } from './definition.js';
import { logSoftmax } from './probabilities.js';
import { AGGREGATIONS, type Aggregation, aggregate, type JudgedPiece } from './tokenAggregation.js';

export interface TaggedSpan {
  /** Its type, such as LOC; with `aggregation: 'none'` the label itself, such as B-LOC. */
  readonly entity: string;
  /** `input.slice(start, end)`, always. */
  readonly text: string;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** Probability, 0 to 1; of several words their mean. */
  readonly score: number;
}

export interface TokenClassificationOptions {
  /**
   * How pieces become spans. Default: `first`, words by their first piece, which is what training labels. What a word is, the
   * model's training data say, where they are known: "so-called" may be one; `simple` for a model whose training data had a tag for each character.
   */
  readonly aggregation?: Aggregation;
  /** Labels or types that are left out. Default O. */
  readonly ignoreLabels?: readonly string[];
}

export interface TokenClassificationTypes {
  readonly alias: 'ner';
  readonly input: string;
  readonly options: TokenClassificationOptions;
  readonly output: TaggedSpan[];
  readonly call: PipelineCall<string, TokenClassificationOptions, TaggedSpan[]>;
}

export const tokenClassification: Pipeline<TokenClassificationTypes> = {
  name: 'token-classification',
  aliases: ['ner'],
  summary: 'the parts of a text that have a label, such as names',
  wants: {
    architectures: ['ElectraForTokenClassification', 'BertForTokenClassification'],
    roles: ['model', 'discriminator'],
    taskOfUnknown: 'tokenClassification',
    advice: (place) =>
      `Fine-tune it first: pleiad finetune --task token-classification --from ${place} --train FILE --out FOLDER`,
  },
  input: z.string().describe('a text'),
  options: z.strictObject({
    aggregation: z.enum(AGGREGATIONS).optional(),
    ignoreLabels: z.array(z.string()).optional(),
  }),
  output: z.array(
    z.object({ entity: z.string(), text: z.string(), start: z.number(), end: z.number(), score: z.number() }),
  ),
  async load(model) {
    requireTokenizer(model);
    await model.prepare(TAGGER_OUTPUTS);
    const labels = labelsOfModel(model);
    // Where characters were tagged, a word may be a name and what is said of it, as in Korean.
    const usual = unitsOfModel(model) === 'characters' ? 'simple' : undefined;
    const rules = wordRulesOf(model.description.pleiad);
    return async (texts, { aggregation = usual, ignoreLabels = [OUTSIDE] }) => {
      const ignored = new Set(ignoreLabels);
      const pieces = await judgedPieces(model, texts, labels.length);
      const words = (text: string, own: JudgedPiece[]) =>
        aggregation === undefined && rules ? byWordRules(text, own, rules) : own;
      return texts.map((text, i) =>
        aggregate(words(text, pieces[i]), labels, aggregation)
          .filter(({ entity }) => !ignored.has(entity))
          .map(({ entity, start, end, score }) => ({ entity, text: text.slice(start, end), start, end, score })),
      );
    };
  },
};

/**
 * What the model says of every piece of every text. A long text is read in windows, and each piece is judged in the one that
 * shows more around it: spans are formed of the whole text, wherever it was cut.
 */
async function judgedPieces(model: Model, texts: readonly string[], numLabels: number): Promise<JudgedPiece[][]> {
  const tokenizer = requireTokenizer(model);
  const { clsId, sepId } = tokenizer;
  const all = texts.map((text) => ({
    text,
    encoding: tokenizer.encode(text, { addSpecialTokens: false, parseSpecialTokens: false }),
    scores: [] as Float64Array[],
  }));
  const rows = all.flatMap(({ encoding: { ids }, scores }) =>
    pieceWindows(ids.length, model.maxLength - 2)
      .filter(({ keepFrom, keepTo }) => keepFrom < keepTo)
      .map((window) => ({
        ...window,
        scores,
        ids: Int32Array.of(clsId, ...ids.subarray(window.from, window.to), sepId),
      })),
  );
  await model.forEachRow(rows, TAGGER_OUTPUTS, (row, { logits }) => {
    const { from, keepFrom, keepTo, scores } = rows[row];
    for (let piece = keepFrom; piece < keepTo; piece++) {
      const first = (piece - from + 1) * numLabels;
      scores[piece] = logSoftmax(Float64Array.from(logits.subarray(first, first + numLabels))).map(Math.exp);
    }
  });
  return all.map(({ text, encoding: { ids, offsets, wordIds }, scores }) =>
    scores.map((own, piece) => ({
      scores: own,
      start: offsets[2 * piece],
      end: endWithMarks(text, offsets[2 * piece + 1], offsets[2 * piece + 2]),
      continues: tokenizer.isContinuation(ids[piece]) && wordIds[piece] === wordIds[piece - 1],
    })),
  );
}

/** Pieces that go on with what is one word in the data that the model was trained on, such as "so-called". */
function byWordRules(text: string, pieces: readonly JudgedPiece[], rules: WordRules): JudgedPiece[] {
  const firsts = [...pieces.keys()].filter((i) => !pieces[i].continues);
  const units = firsts.map((first, i) => ({
    start: pieces[first].start,
    end: pieces[(firsts[i + 1] ?? pieces.length) - 1].end,
  }));
  const joined = joinedUnits(text, units, rules);
  const goesOn = new Set(firsts.filter((_, i) => joined[i]));
  return pieces.map((piece, i) => (goesOn.has(i) ? { ...piece, continues: true } : piece));
}

/**
 * A combining mark that the tokenizer removed belongs to the character before it.
 * @param next  where the next piece begins; undefined after the last
 */
function endWithMarks(text: string, end: number, next = text.length): number {
  const marks = /^\p{M}+/u.exec(text.slice(end, next));
  return marks ? end + marks[0].length : end;
}
