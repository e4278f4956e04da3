/** The windows of dev questions and one table of what the model says of them, which ranks fill in together. */
import type { Program, Tensors } from '../../engine/engine.js';
import type { QuestionAnsweringHead } from '../../models/heads.js';
import { BEAM_SIZE } from '../../models/jointAnswerHead.js';
import { EVALUATION_SEED, EVALUATION_STEP } from '../../training/evaluation.js';
import type { Phase } from '../../training/objective.js';
import { type AnswerLogits, answerLogits, type BeamStart } from './answerLogits.js';
import { type EncodedQuestion, type LearnedRow, labelledRow, piecesOfAnswer } from './encodedQuestions.js';
import { batchOfQuestions, type QuestionBatch } from './objective.js';
import type { AskedContext } from './rankAnswers.js';

interface EvaluatedRow extends LearnedRow {
  /** Index of its question. */
  readonly question: number;
  /** Where its numbers begin in the table. */
  readonly offset: number;
  /** Whether the answer is known, and with it the loss. */
  readonly isLabelled: boolean;
}

/** What a head says of a row, as so many numbers of a table. */
interface RowFormat {
  size(row: LearnedRow): number;
  /** @param index  of the row in its batch */
  write(row: LearnedRow, outputs: Tensors, place: { index: number; length: number }, to: Float64Array): void;
  read(row: LearnedRow, from: Float64Array): AnswerLogits;
  loss(row: LearnedRow, from: Float64Array): number;
}

/** Start of every position, then end of every position. */
const STANDARD: RowFormat = {
  size: ({ ids }) => 2 * ids.length,
  write({ ids }, { startLogits, endLogits }, { index, length }, to) {
    const from = index * length;
    to.set(startLogits.data.subarray(from, from + ids.length));
    to.set(endLogits.data.subarray(from, from + ids.length), ids.length);
  },
  read: ({ ids }, from) => ({
    start: Float32Array.from(from.subarray(0, ids.length)),
    end: Float32Array.from(from.subarray(ids.length)),
  }),
  /** The mean of −ln p of start and end. */
  loss: ({ ids, startPosition, endPosition }, from) =>
    (crossEntropy(from.subarray(0, ids.length), startPosition) + crossEntropy(from.subarray(ids.length), endPosition)) /
    2,
};

/** Loss, "no answer", then of each beam its position, its logit and the ends of answers of at most so many pieces. */
function jointFormat(maxAnswerLength: number): RowFormat {
  const ofBeam = 2 + maxAnswerLength;
  return {
    size: () => 2 + BEAM_SIZE * ofBeam,
    write({ ids }, tensors, { index, length }, to) {
      const part = (name: string, size: number, count = size) =>
        Float32Array.from(tensors[name].data.subarray(index * size, index * size + count));
      const outputs = {
        startLogits: part('startLogits', length, ids.length),
        beamStarts: part('beamStarts', BEAM_SIZE),
        beamEndLogits: part('beamEndLogits', length * BEAM_SIZE, ids.length * BEAM_SIZE),
        noAnswerLogits: part('noAnswerLogits', 1),
      };
      const logits = answerLogits(outputs, maxAnswerLength);
      if (!('beams' in logits)) throw new Error('the outputs are of another head');
      to[0] = tensors.rowLosses.data[index];
      to[1] = logits.noAnswer;
      for (const [beam, { position, logit, ends }] of logits.beams.entries()) {
        to.set([position, logit, ...ends], 2 + beam * ofBeam);
      }
    },
    read({ ids }, from) {
      const beams: BeamStart[] = [];
      for (let at = 2; at < from.length; at += ofBeam) {
        const [position, logit] = from.subarray(at, at + 2);
        // [CLS] is no beam: where there are fewer, zeros stand.
        if (position === 0) continue;
        const count = Math.min(maxAnswerLength, ids.length - position);
        beams.push({ position, logit, ends: Float32Array.from(from.subarray(at + 2, at + 2 + count)) });
      }
      return { beams, noAnswer: from[1] };
    },
    loss: (_, [loss]) => loss,
  };
}

export interface EvaluatedRowsOptions {
  readonly questionAnsweringHead: QuestionAnsweringHead;
  readonly maxAnswerLength: number;
}

export class EvaluatedRows {
  readonly #questions: readonly EncodedQuestion[];
  readonly #rows: readonly EvaluatedRow[];
  /** By length, so that little is padded. */
  readonly #sorted: readonly EvaluatedRow[];
  readonly #format: RowFormat;
  /** Numbers in the table. */
  readonly tableSize: number;

  constructor(questions: readonly EncodedQuestion[], { questionAnsweringHead, maxAnswerLength }: EvaluatedRowsOptions) {
    this.#questions = questions;
    this.#format = questionAnsweringHead === 'joint' ? jointFormat(maxAnswerLength) : STANDARD;
    let offset = 0;
    this.#rows = questions.flatMap(({ question, pieces, rows }, index) => {
      const [answer] = question.answers;
      const span = answer && piecesOfAnswer(pieces, answer);
      const isLabelled = question.isImpossible || span !== undefined;
      return rows.map((window) => {
        const own = { ...labelledRow(window, span), question: index, offset, isLabelled };
        offset += this.#format.size(own);
        return own;
      });
    });
    this.tableSize = offset;
    this.#sorted = [...this.#rows].sort((a, b) => a.ids.length - b.ids.length);
  }

  get numRows(): number {
    return this.#rows.length;
  }

  /** Runs some rows and writes what the model says of them to the table. */
  async run(
    program: Program,
    phase: Phase<QuestionBatch>,
    { first, count, padId }: { readonly first: number; readonly count: number; readonly padId: number },
    table: Float64Array,
  ): Promise<void> {
    const rows = this.#sorted.slice(first, first + count);
    const batch = batchOfQuestions(rows, padId);
    const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow: first };
    const outputs = await program.run(phase.feeds(batch, draw));
    for (const [index, row] of rows.entries()) {
      this.#format.write(row, outputs, { index, length: batch.length }, this.#part(row, table));
    }
  }

  #part(row: EvaluatedRow, table: Float64Array): Float64Array {
    return table.subarray(row.offset, row.offset + this.#format.size(row));
  }

  /** Each question's context with what the model says of its windows. */
  asked(table: Float64Array): AskedContext[] {
    const logits = this.#questions.map((): AnswerLogits[] => []);
    for (const row of this.#rows) logits[row.question].push(this.#format.read(row, this.#part(row, table)));
    return this.#questions.map(({ question, pieces, rows }, i) => ({
      text: question.context,
      pieces,
      rows,
      logits: logits[i],
    }));
  }

  /** The mean loss of the windows whose answer is known; undefined where none is. */
  loss(table: Float64Array): number | undefined {
    const labelled = this.#rows.filter(({ isLabelled }) => isLabelled);
    if (labelled.length === 0) return undefined;
    return labelled.reduce((sum, row) => sum + this.#format.loss(row, this.#part(row, table)), 0) / labelled.length;
  }
}

/** −log softmax(logits)[label] */
function crossEntropy(logits: Float64Array, label: number): number {
  const max = logits.reduce((a, b) => Math.max(a, b));
  return max + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - max), 0)) - logits[label];
}
