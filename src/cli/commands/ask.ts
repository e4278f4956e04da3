import { createInterface } from 'node:readline';
import { PleiadError } from '../../errors/errors.js';
import { BOXED } from '../../hub/boxedNames.js';
import type { Answer, QuestionAnsweringOptions } from '../../pipelines/answers.js';
import type { LoadedPipeline } from '../../pipelines/createPipeline.js';
import { pipeline } from '../../pipelines/pipeline.node.js';
import { showAnswers } from '../answerView.js';
import {
  ASKED_OPTIONS,
  checkDocuments,
  contextOf,
  type Documents,
  givenQuestion,
  type ManyQuestions,
  questionInputs,
  readDocuments,
  readQuestions,
} from '../askedTexts.js';
import type { CommandDefinition, CommandResult, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { defaultingTo, LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { anyNumber, collectProblems, numberAbove, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { FORMAT_OPTION, progressBeside, type ResultFormat, resultText, withColumns } from '../resultTable.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const ask: CommandDefinition = {
  name: 'ask',
  summary: 'Answers questions by parts of a text, the most probable first, each shown in its sentence.',
  arguments: [
    {
      name: '[question]',
      description:
        'the question, in quotes; without it and --questions, standard input is read, a question a line, or asked for one after the other',
      keepsRest: true,
    },
  ],
  options: [
    ...ASKED_OPTIONS,
    ...defaultingTo(BOXED.questionAnswering, LOADING_OPTIONS),
    { flags: '--tokenizer <name>', description: 'the tokenizer of another model, where that of the model is wrong' },
    ...ONNX_OPTIONS,
    { flags: '--top-k <number>', description: 'answers, at most. Default 1.' },
    {
      flags: '--max-answer-length <number>',
      description: 'word pieces of an answer, at most. Default: what the model says, else 15.',
    },
    {
      flags: '--handle-impossible-answer',
      description: 'let "no answer" be an answer, for models trained on questions without one (SQuAD 2.0)',
    },
    {
      flags: '--null-threshold <number>',
      description:
        'how much larger the logit of "no answer" must be than that of the best answer; implies it may be one. Default: what the model says, else 0.',
    },
    {
      flags: '--temperature <number>',
      description: 'what logits are divided by before they become scores. Default: what the model says, else 1.',
    },
    {
      flags: '--doc-stride <number>',
      description:
        'word pieces that neighbouring windows of a long context share. Default: what the model says, else 128, at most half of a window.',
    },
    {
      flags: '--max-length <number>',
      description: 'tokens of a row, question and context together. Default: what the model says, else 384.',
    },
    { flags: '--max-question-length <number>', description: 'word pieces beyond which a question is cut' },
    { flags: '--drop-particle', description: 'leave out a particle at the end of a Korean answer (1989년에 → 1989년)' },
    { flags: '--code-points', description: 'also give offsets in Unicode code points, as Python counts them' },
    {
      flags: '--scoring <name>',
      description: 'all: one ranking over all windows; hf: as transformers 4.53 scores. Default all.',
      choices: ['all', 'hf'],
    },
    FORMAT_OPTION,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad ask "What is machine learning?" --context "Machine learning is a subset of artificial intelligence."',
    'pleiad ask "Who cooked?" --model qa/ --top-k 3 --file chapter-*.txt',
    'pleiad ask --model qa/ --questions questions.csv --file handbook.txt > answers.csv',
    'pleiad ask --model qa/ --file handbook.txt',
  ],

  async run(words, options, { output, lists = {} }) {
    const { model, question, ...numbers } = collectProblems({
      model: () => modelFolder(options.model, BOXED.questionAnswering),
      question: () => givenQuestion(words, options),
      documents: () => checkDocuments(options, lists),
      topK: () => wholeNumber('--top-k', options.topK, 1) ?? 1,
      maxAnswerLength: () => wholeNumber('--max-answer-length', options.maxAnswerLength, 1),
      nullThreshold: () => anyNumber('--null-threshold', options.nullThreshold),
      temperature: () => numberAbove('--temperature', options.temperature, 0),
      docStride: () => wholeNumber('--doc-stride', options.docStride, 0),
      maxLength: () => wholeNumber('--max-length', options.maxLength, 5),
      maxQuestionLength: () => wholeNumber('--max-question-length', options.maxQuestionLength, 1),
    });
    const { documents: _, topK, ...settings } = numbers;
    const documents = await readDocuments(options, lists);
    const prompts = question === undefined && options.questions === undefined && process.stdin.isTTY;
    const many = question === undefined && !prompts ? await readQuestions(options) : undefined;
    // What does not fit is said before a model is loaded.
    const inputs = many && questionInputs(many, documents);
    await using answers = await pipeline('question-answering', {
      model,
      ...(typeof options.tokenizer === 'string' && { tokenizer: options.tokenizer }),
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    const asking: Asking = { answers, documents, output, settings: { topK, ...settings, ...flags(options) } };
    if (many && inputs) return await askMany(asking, many, inputs, options.format as ResultFormat | undefined);
    return await (question === undefined ? askOneByOne(asking) : askOne(asking, question));
  },
};

interface Asking {
  readonly answers: LoadedPipeline<'question-answering'>;
  readonly documents: Documents | undefined;
  readonly output: Output;
  readonly settings: QuestionAnsweringOptions & { readonly topK: number };
}

function flags({ handleImpossibleAnswer, dropParticle, codePoints, scoring }: OptionValues): QuestionAnsweringOptions {
  return {
    ...(handleImpossibleAnswer === true && { handleImpossibleAnswer }),
    ...(dropParticle === true && { dropParticle }),
    ...(codePoints === true && { codePoints }),
    ...(typeof scoring === 'string' && { scoring: scoring as 'all' | 'hf' }),
  };
}

async function askOne({ answers, documents, output, settings }: Asking, question: string): Promise<CommandResult> {
  const onProgress = ({ fraction = 0 }) => output.status(`reading: ${Math.round(100 * fraction)} %`);
  const found = await answers({ question, context: contextOf(documents!) }, { ...settings, onProgress });
  showAnswers(question, found, documents!, output);
  const warnings = warnOfUnknown([question, ...documents!.texts], answers.tokenizer, output);
  return { json: { ...toJson(found, documents), warnings } };
}

/** What a row of many questions gets. */
const ADDED = ['answer', 'start', 'end', 'score'];
const CODE_POINTS = ['codePointStart', 'codePointEnd'];

async function askMany(
  { answers, documents, output, settings }: Asking,
  many: ManyQuestions,
  inputs: ReturnType<typeof questionInputs>,
  wanted?: ResultFormat,
): Promise<CommandResult> {
  const format = wanted ?? many.format;
  const beside = format === undefined ? output : progressBeside();
  const found = await answers(inputs, {
    ...settings,
    onProgress: ({ done, total }) => beside.status(`${done} of ${total} questions`),
  });
  const texts = [...many.questions, ...(documents?.texts ?? many.contexts ?? [])];
  if (output.isJson || format === undefined) {
    for (const [i, question] of many.questions.entries()) {
      showAnswers(question, found[i], documents ?? { texts: [many.contexts![i]] }, output);
    }
    const results = many.questions.map((question, i) => ({ question, ...toJson(found[i], documents) }));
    return { json: { results, warnings: warnOfUnknown(texts, answers.tokenizer, output) } };
  }
  beside.endStatus();
  const added = [
    ...ADDED,
    ...(settings.codePoints ? CODE_POINTS : []),
    ...(documents?.names ? ['file'] : []),
    ...(settings.topK > 1 ? ['rank'] : []),
  ];
  const rows = found.flatMap((list, i) => list.map((answer, rank) => ({ row: many.table.rows[i], answer, rank })));
  const values = rows.map(({ answer, rank }) => ({ ...withFile(answer, documents), rank: rank + 1 }));
  const table = { ...many.table, rows: rows.map(({ row }) => row) };
  process.stdout.write(resultText(withColumns(table, added, values), format));
  warnOfUnknown(texts, answers.tokenizer, beside);
  return {};
}

/** Asks for a question after another, until there is none. */
async function askOneByOne({ answers, documents, output, settings }: Asking): Promise<CommandResult> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: 'Question: ' });
  output.note('Ask, a question a line; an empty one ends.');
  const results: object[] = [];
  lines.prompt();
  for await (const line of lines) {
    const question = line.trim();
    if (question === '') break;
    try {
      const found = await answers({ question, context: contextOf(documents!) }, settings);
      showAnswers(question, found, documents!, output);
      results.push({ question, ...toJson(found, documents) });
    } catch (error) {
      // A question that cannot be asked is no reason to end.
      if (!(error instanceof PleiadError)) throw error;
      output.note(error.message);
    }
    lines.prompt();
  }
  lines.close();
  return { json: { results } };
}

function withFile({ contextIndex, ...answer }: Answer, documents: Documents | undefined): object {
  return { ...answer, ...(documents?.names && answer.answer !== '' && { file: documents.names[contextIndex ?? 0] }) };
}

/** "No answer" is of all answers, so it stands once. */
function toJson(found: readonly Answer[], documents: Documents | undefined): object {
  const answers = found.map(({ nullScore: _, ...answer }) => withFile(answer, documents));
  const nullScore = found[0]?.nullScore;
  return { answers, ...(nullScore !== undefined && { nullScore }) };
}
