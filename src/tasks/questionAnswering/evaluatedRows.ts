/** The windows of dev questions and one table of their logits, which ranks fill in together. */
import type { Program } from '../../engine/engine.js';
import { EVALUATION_SEED, EVALUATION_STEP } from '../../training/evaluation.js';
import type { Phase } from '../../training/objective.js';
import { type EncodedQuestion, type LearnedRow, labelledRow, piecesOfAnswer } from './encodedQuestions.js';
import { batchOfQuestions, type QuestionBatch } from './objective.js';
import type { AskedContext } from './rankAnswers.js';

interface EvaluatedRow extends LearnedRow {
  /** Index of its question. */
  readonly question: number;
  /** Where its logits begin in the table: start of every position, then end of every position. */
  readonly offset: number;
  /** Whether the answer is known, and with it the loss. */
  readonly isLabelled: boolean;
}

export class EvaluatedRows {
  readonly #questions: readonly EncodedQuestion[];
  readonly #rows: readonly EvaluatedRow[];
  /** By length, so that little is padded. */
  readonly #sorted: readonly EvaluatedRow[];
  /** Numbers in the table. */
  readonly tableSize: number;

  constructor(questions: readonly EncodedQuestion[]) {
    this.#questions = questions;
    let offset = 0;
    this.#rows = questions.flatMap(({ question, pieces, rows }, index) => {
      const [answer] = question.answers;
      const span = answer && piecesOfAnswer(pieces, answer);
      const isLabelled = question.isImpossible || span !== undefined;
      return rows.map((window) => {
        const own = { ...labelledRow(window, span), question: index, offset, isLabelled };
        offset += 2 * window.ids.length;
        return own;
      });
    });
    this.tableSize = offset;
    this.#sorted = [...this.#rows].sort((a, b) => a.ids.length - b.ids.length);
  }

  get numRows(): number {
    return this.#rows.length;
  }

  /** Runs some rows and writes their logits to the table. */
  async run(
    program: Program,
    phase: Phase<QuestionBatch>,
    { first, count, padId }: { readonly first: number; readonly count: number; readonly padId: number },
    table: Float64Array,
  ): Promise<void> {
    const rows = this.#sorted.slice(first, first + count);
    const batch = batchOfQuestions(rows, padId);
    const draw = { seed: EVALUATION_SEED, step: EVALUATION_STEP, firstRow: first };
    const { startLogits, endLogits } = await program.run(phase.feeds(batch, draw));
    for (const [i, { ids, offset }] of rows.entries()) {
      const from = i * batch.length;
      table.set(startLogits.data.subarray(from, from + ids.length), offset);
      table.set(endLogits.data.subarray(from, from + ids.length), offset + ids.length);
    }
  }

  /** Each question's context with the logits of its windows. */
  asked(table: Float64Array): AskedContext[] {
    const logits = this.#questions.map((): { start: Float32Array; end: Float32Array }[] => []);
    for (const { question, offset, ids } of this.#rows) {
      const middle = offset + ids.length;
      logits[question].push({
        start: Float32Array.from(table.subarray(offset, middle)),
        end: Float32Array.from(table.subarray(middle, middle + ids.length)),
      });
    }
    return this.#questions.map(({ question, pieces, rows }, i) => ({
      text: question.context,
      pieces,
      rows,
      logits: logits[i],
    }));
  }

  /** The mean of −log p of start and end positions over windows whose answer is known; undefined where none is. */
  loss(table: Float64Array): number | undefined {
    const labelled = this.#rows.filter(({ isLabelled }) => isLabelled);
    if (labelled.length === 0) return undefined;
    const sum = labelled.reduce((total, { ids, offset, startPosition, endPosition }) => {
      const middle = offset + ids.length;
      const start = crossEntropy(table.subarray(offset, middle), startPosition);
      return total + (start + crossEntropy(table.subarray(middle, middle + ids.length), endPosition)) / 2;
    }, 0);
    return sum / labelled.length;
  }
}

/** −log softmax(logits)[label] */
function crossEntropy(logits: Float64Array, label: number): number {
  const max = logits.reduce((a, b) => Math.max(a, b));
  return max + Math.log(logits.reduce((sum, z) => sum + Math.exp(z - max), 0)) - logits[label];
}
