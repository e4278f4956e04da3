import { SettingsError } from '../../errors/errors.js';
import { pipeline } from '../../pipelines/pipeline.node.js';
import type { Answer } from '../../pipelines/questionAnswering.js';
import { type Column, tableLines } from '../columns.js';
import type { CommandDefinition, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { readTextFile } from '../textFile.js';
import { checkText, readTexts, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const ask: CommandDefinition = {
  name: 'ask',
  summary: 'Gives the parts of a text that answer a question, the most probable first, and where they stand.',
  arguments: [
    {
      name: '[question]',
      description: 'the question, in quotes; without it and --file, standard input is read',
      keepsRest: true,
    },
  ],
  options: [
    { flags: '--context <text>', description: 'the text in which the answer is looked for, of any length' },
    { flags: '--context-file <path>', description: 'the same, from a file, which may be gzipped' },
    ...LOADING_OPTIONS,
    { flags: '--tokenizer <name>', description: 'the tokenizer of another model, where that of the model is wrong' },
    ...ONNX_OPTIONS,
    { flags: '--top-k <number>', description: 'answers, at most. Default 1.' },
    { flags: '--max-answer-length <number>', description: 'word pieces of an answer, at most. Default 15.' },
    {
      flags: '--handle-impossible-answer',
      description: 'let "no answer" be an answer, for models trained on questions without one (SQuAD 2.0)',
    },
    {
      flags: '--doc-stride <number>',
      description:
        'word pieces that neighbouring windows of a long context share. Default 128, at most half of a window.',
    },
    ...TEXT_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad ask --model qa/ "What is machine learning?" --context "Machine learning is a subset of artificial intelligence."',
    'pleiad ask --model qa/ "Who cooked?" --context-file book.txt --top-k 3 --json',
  ],

  async run(words, options, { output }) {
    const { model, ...settings } = collectProblems({
      model: () => modelFolder(options.model),
      text: () => checkText(words, options),
      context: () => checkContext(options),
      topK: () => wholeNumber('--top-k', options.topK, 1) ?? 1,
      maxAnswerLength: () => wholeNumber('--max-answer-length', options.maxAnswerLength, 1),
      docStride: () => wholeNumber('--doc-stride', options.docStride, 0),
    });
    const { topK, maxAnswerLength, docStride } = settings;
    const questions = await readTexts(words, options);
    const context = await readContext(options);
    await using answers = await pipeline('question-answering', {
      model,
      ...(typeof options.tokenizer === 'string' && { tokenizer: options.tokenizer }),
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    const results = await answers(
      questions.map((question) => ({ question, context })),
      { topK, maxAnswerLength, docStride, handleImpossibleAnswer: options.handleImpossibleAnswer === true },
    );
    for (const [i, found] of results.entries()) showAnswers(questions[i], found, output);
    const warnings = warnOfUnknown([...questions, context], answers.tokenizer, output);
    const json = results.map(toJson);
    const one = json[0];
    return {
      json: {
        ...(options.lines ? { results: json.map((each, i) => ({ question: questions[i], ...each })) } : one),
        warnings,
      },
    };
  },
};

/** What can be said of the context before it is read. */
function checkContext({ context, contextFile }: OptionValues): void {
  if (context !== undefined && contextFile !== undefined) {
    throw new SettingsError(['--context and --context-file are both given; give one']);
  }
  if (context === undefined && contextFile === undefined) {
    throw new SettingsError([
      '--context is missing; expected a text in quotes, or --context-file with the name of a file',
    ]);
  }
}

function readContext({ context, contextFile }: OptionValues): string | Promise<string> {
  return typeof context === 'string' ? context : readTextFile('--context-file', String(contextFile));
}

/** "No answer" is of all answers, so it stands once. */
function toJson(found: readonly Answer[]): object {
  const answers = found.map(({ nullScore: _, ...answer }) => answer);
  const nullScore = found[0]?.nullScore;
  return { answers, ...(nullScore !== undefined && { nullScore }) };
}

const COLUMNS: readonly Column[] = [
  { title: 'score', align: 'right' },
  { title: 'start', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'answer' },
];

function showAnswers(question: string, found: readonly Answer[], output: Output): void {
  output.line(output.style(question, 'bold'));
  const rows = found.map(({ score, start, end, answer }) => [
    score.toFixed(3),
    `${start}`,
    `${end}`,
    answer === '' ? '(no answer)' : answer.replace(/\s+/g, ' '),
  ]);
  for (const line of tableLines(COLUMNS, rows)) output.line(`  ${line}`);
}
