/**
 * What a question answering model knows of its own use: `question_answering.json` in its folder, which fine-tuning writes and the
 * pipeline reads. Every field may be absent.
 */
import { z } from 'zod';
import { CheckpointError } from '../../errors/errors.js';
import { QUESTION_ANSWERING_FILE } from '../../hub/modelFiles.js';
import { expectation, shownValue } from '../../settings/expectation.js';

const fields = {
  /** "No answer" is the answer when its logit is larger than the best span's by more than this. Found on dev data (SQuAD 2.0); 0 where these have no such question. */
  nullThreshold: z.number().optional(),
  /** Logits are divided by it before they become probabilities; above 0. Found on dev data (Guo et al., arXiv 1706.04599). */
  temperature: z.number().positive().optional(),
  /** Tokens of a row, question and context together. */
  maxLength: z.number().int().min(5).optional(),
  /** Pieces that neighbouring windows of a long context share: an overlap, not a step. */
  stride: z.number().int().min(0).optional(),
  /** Word pieces of an answer, at most. */
  maxAnswerLength: z.number().int().min(1).optional(),
  /** Whether answers are widened to whole words; false of languages that write particles onto words. */
  alignToWords: z.boolean().optional(),
};
const schema = z.object(fields);

export type AnswerSettings = Readonly<z.infer<typeof schema>>;

/** As fine-tuning writes it. */
export type QuestionAnsweringFile = Required<AnswerSettings>;

/**
 * @param json    the parsed content of `question_answering.json`; undefined where there is no such file
 * @param source  of the model, for messages
 * @throws CheckpointError naming every field that cannot be used
 */
export function parseAnswerSettings(json: unknown, source: string): AnswerSettings {
  if (json === undefined) return {};
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: [name] }) => {
    if (name === undefined) return `it is ${shownValue(json)}; expected an object`;
    const key = name as keyof typeof fields;
    return `${key} is ${shownValue((json as Record<string, unknown>)[key])}; expected ${expectation(fields[key].unwrap())}`;
  });
  throw new CheckpointError(`${QUESTION_ANSWERING_FILE} of ${source} cannot be used: ${problems.join('; ')}`, {
    subject: source,
    found: json,
    expected: Object.keys(fields).join(', '),
    advice: 'Correct the file, or remove it',
  });
}
