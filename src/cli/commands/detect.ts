import { BOXED } from '../../hub/boxedNames.js';
import { loadReplacedTokenDetection } from '../../pipelines/load.node.js';
import type { DetectedToken } from '../../pipelines/replacedTokenDetection.js';
import { type Column, tableLines } from '../columns.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { defaultingTo, LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems } from '../numbers.js';
import type { Output } from '../output.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const detect: CommandDefinition = {
  name: 'detect',
  summary: 'Gives each token of a text its probability of having been replaced.',
  arguments: [TEXT_ARGUMENT],
  options: [...defaultingTo(BOXED.pair, LOADING_OPTIONS), ...ONNX_OPTIONS, ...TEXT_OPTIONS, ...ENGINE_OPTIONS],
  examples: [
    'pleiad detect "She was a very beautiful tuesday and lived in the castle."',
    'pleiad detect --model run/ "the chef ate the meal"',
    'pleiad detect --model run/ --json < text.txt',
  ],

  async run(words, options, { output }) {
    const { model } = collectProblems({
      model: () => modelFolder(options.model, BOXED.pair),
      text: () => checkText(words, options),
    });
    const texts = await readTexts(words, options);
    const detector = await loadReplacedTokenDetection(model, {
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    try {
      const results = await detector.detect(texts);
      results.forEach((tokens, i) => {
        if (i > 0) output.line();
        showDetection(texts[i], tokens, output);
      });
      output.line();
      output.paragraph(`${LEGEND}${colourLegend(output)}`);
      const warnings = warnOfUnknown(texts, detector.tokenizer, output);
      const json = options.lines
        ? { texts: results.map((tokens, i) => ({ text: texts[i], tokens })) }
        : { tokens: results[0] };
      return { json: { ...json, warnings } };
    } finally {
      await detector.release();
    }
  },
};

const LEGEND =
  'replaced: how probable it is that the token is not the original, 0 to 1; start, end: its characters in the text.';

/** From this probability on a token is doubted, and from the higher one it is held to be replaced. */
const DOUBTED = 0.25;
const REPLACED = 0.5;

/** On a terminal the text with its doubtful places marked; then, and elsewhere only, a table of the tokens. */
function showDetection(text: string, tokens: readonly DetectedToken[], output: Output): void {
  if (output.isLive) output.line(markedText(text, tokens, output));
  const rows = tokens.map(({ token, start, end, replaced }) => [replaced.toFixed(3), `${start}`, `${end}`, token]);
  const [titles, ...lines] = tableLines(COLUMNS, rows);
  output.line(output.style(titles, 'bold'));
  lines.forEach((line, i) => {
    output.line(tokens[i].replaced >= REPLACED ? output.style(line, 'red') : line);
  });
}

const COLUMNS: readonly Column[] = [
  { title: 'replaced', align: 'right' },
  { title: 'start', align: 'right' },
  { title: 'end', align: 'right' },
  { title: 'token' },
];

/** What the colours mean, where there are any. */
export function colourLegend(output: Output): string {
  if (!output.hasColor) return '';
  return ` ${output.style('Red', 'red')}: from ${REPLACED} on; ${output.style('yellow', 'yellow')}: from ${DOUBTED} on.`;
}

/** The text with what looks replaced in red and what is doubtful in yellow. */
export function markedText(text: string, tokens: readonly DetectedToken[], output: Output): string {
  let marked = '';
  let from = 0;
  for (const { start, end, replaced } of tokens) {
    marked += text.slice(from, start);
    const part = text.slice(Math.max(start, from), end);
    if (replaced >= REPLACED) marked += output.style(part, 'red', 'bold');
    else marked += replaced >= DOUBTED ? output.style(part, 'yellow') : part;
    from = Math.max(from, end);
  }
  return marked + text.slice(from);
}
