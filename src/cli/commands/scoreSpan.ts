import { DataError } from '../../errors/errors.js';
import type { SpanScore } from '../../pipelines/fillSpan.js';
import { loadFillSpan } from '../../pipelines/load.node.js';
import { type Column, tableLines } from '../columns.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { LOADING_OPTIONS, modelFolder, pipelineOptions } from '../modelOption.js';
import { collectProblems } from '../numbers.js';
import type { Output } from '../output.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

const OPEN = '[[';
const CLOSE = ']]';

export const scoreSpan: CommandDefinition = {
  name: 'score-span',
  summary: `Says how well the tokens beside a span predict it, piece by piece. The span is marked ${OPEN}like this${CLOSE}.`,
  arguments: [TEXT_ARGUMENT],
  options: [...LOADING_OPTIONS, ...TEXT_OPTIONS, ...ENGINE_OPTIONS],
  examples: ['pleiad score-span --model run/ "You are expected to know [[the laws]] of your country"'],

  async run(words, options, { output }) {
    const { model } = collectProblems({
      model: () => modelFolder(options.model),
      text: () => checkText(words, options),
    });
    const marked = (await readTexts(words, options)).map(unmark);
    const filler = await loadFillSpan(model, { ...engineOptions(options), ...pipelineOptions(options, output) });
    try {
      const results: SpanScore[] = [];
      for (const { text, ...span } of marked) results.push(await filler.scoreSpan(text, span));
      for (const result of results) showScore(result, output);
      const texts = marked.map(({ text }) => text);
      const warnings = warnOfUnknown(texts, filler.tokenizer, output);
      return { json: { ...(options.lines ? { texts: results } : results[0]), warnings } };
    } finally {
      await filler.release();
    }
  },
};

/** The text without its marks, and where they were. @throws DataError when there is not one marked span */
export function unmark(marked: string): { text: string; start: number; end: number } {
  const start = marked.indexOf(OPEN);
  const end = marked.indexOf(CLOSE, start);
  const others = marked.replace(OPEN, '').replace(CLOSE, '');
  if (start < 0 || end < 0 || others.includes(OPEN) || others.includes(CLOSE)) {
    throw new DataError(`the text has no span, or several: ${JSON.stringify(marked.slice(0, 80))}`, {
      subject: 'text',
      expected: `one span between ${OPEN} and ${CLOSE}`,
      advice: `Mark it, for instance "You are expected to know ${OPEN}the laws${CLOSE} of your country"`,
    });
  }
  const span = marked.slice(start + OPEN.length, end);
  return { text: marked.slice(0, start) + span + marked.slice(end + CLOSE.length), start, end: start + span.length };
}

const COLUMNS: readonly Column[] = [
  { title: 'log-probability of' },
  { title: 'boundaries', align: 'right' },
  { title: 'masked LM', align: 'right' },
];

function showScore({ text, start, end, tokens, scores }: SpanScore, output: Output): void {
  output.line(`${text.slice(0, start)}${output.style(text.slice(start, end), 'bold')}${text.slice(end)}`);
  const row = (name: string, { sbo, mlm }: { sbo: number; mlm: number }) => [name, sbo.toFixed(3), mlm.toFixed(3)];
  const rows = [...tokens.map(({ token, ...piece }) => row(token, piece)), row('mean', scores)];
  for (const line of tableLines(COLUMNS, rows)) output.line(`  ${line}`);
}
