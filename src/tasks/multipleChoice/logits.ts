/** The logits of a trained model for the choices of questions. */
import type { Model, RowOptions } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { encodeQuestion } from './batches.js';
import type { ChoiceQuestion } from './questions.js';

export const CHOICE_OUTPUTS: RowOptions = { outputs: ['logits'] };

/** @returns one logit a choice, question by question */
export async function choiceLogits(model: Model, questions: readonly ChoiceQuestion[]): Promise<Float64Array[]> {
  const tokenizer = requireTokenizer(model);
  const encoded = questions.map((question) => encodeQuestion(question, { tokenizer, length: model.maxLength }).rows);
  const owners = encoded.flatMap((rows, question) => rows.map((_, choice) => [question, choice] as const));
  const found = encoded.map((rows) => new Float64Array(rows.length));
  await model.forEachRow(encoded.flat(), CHOICE_OUTPUTS, (row, { logits }) => {
    const [question, choice] = owners[row];
    found[question][choice] = logits[0];
  });
  return found;
}
