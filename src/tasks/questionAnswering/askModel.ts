/** A trained model's answers to many questions, found as its folder says. */
import type { Model } from '../../pretrained/model.js';
import { requireTokenizer } from '../../pretrained/requireTokenizer.js';
import { ANSWER_OUTPUTS, type AnswerLogits, answerLogits } from './answerLogits.js';
import { parseAnswerSettings, type QuestionAnsweringFile } from './answerSettings.js';
import { largestOverlap, USUAL_ROW, usualOverlap } from './answerWindows.js';
import { encodeQuestions } from './encodedQuestions.js';
import { type Prediction, predictionOf } from './evaluation.js';
import { USUAL_ANSWER } from './fields.js';
import type { Question } from './questions.js';

/** How a model is asked: as its folder says, else as usual. @throws CheckpointError when that cannot be used */
export function settingsOfModel(model: Model): QuestionAnsweringFile {
  const own = parseAnswerSettings(model.taskSettings, model.source);
  const { maxLength = Math.min(USUAL_ROW, model.maxLength) } = own;
  const stride = usualOverlap(maxLength);
  const usual = { nullThreshold: 0, temperature: 1, maxLength, stride, maxAnswerLength: USUAL_ANSWER };
  return { ...usual, alignToWords: true, ...own };
}

/** The best answer to each question, and how much more likely none is. */
export async function askModel(
  model: Model,
  questions: readonly Question[],
  settings: QuestionAnsweringFile,
): Promise<Prediction[]> {
  const length = Math.min(settings.maxLength, model.maxLength);
  const encoded = encodeQuestions(questions, {
    tokenizer: requireTokenizer(model),
    length,
    docStride: Math.min(settings.stride, largestOverlap(length)),
  });
  const logits = encoded.map((): AnswerLogits[] => []);
  const { questionAnsweringHead = 'standard' } = model.description;
  const rows = encoded.flatMap((each, question) => each.rows.map((row, window) => ({ ...row, question, window })));
  await model.forEachRow(rows, { outputs: ANSWER_OUTPUTS[questionAnsweringHead] }, (index, outputs) => {
    const { question, window } = rows[index];
    logits[question][window] = answerLogits(outputs, settings.maxAnswerLength);
  });
  return encoded.map(({ question, pieces, rows: own }, i) =>
    predictionOf({ text: question.context, pieces, rows: own, logits: logits[i] }, settings),
  );
}
