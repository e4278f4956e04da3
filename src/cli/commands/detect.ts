import { loadReplacedTokenDetection } from '../../pipelines/node.js';
import type { DetectedToken } from '../../pipelines/replacedTokenDetection.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { LOADING_OPTIONS, modelFolder, pipelineOptions } from '../modelOption.js';
import type { Output } from '../output.js';
import { readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const detect: CommandDefinition = {
  name: 'detect',
  summary: 'Gives each token of a text its probability of having been replaced.',
  arguments: [TEXT_ARGUMENT],
  options: [...LOADING_OPTIONS, ...TEXT_OPTIONS, ...ENGINE_OPTIONS],
  examples: ['pleiad detect --model run/ "the chef ate the meal"', 'pleiad detect --model run/ --json < text.txt'],

  async run(words, options, { output }) {
    const model = modelFolder(options.model);
    const texts = await readTexts(words, options);
    const detector = await loadReplacedTokenDetection(model, {
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    try {
      const results = await detector.detect(texts);
      results.forEach((tokens, i) => {
        showDetection(texts[i], tokens, output);
      });
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

/** From this probability on a token is doubted, and from the higher one it is held to be replaced. */
const DOUBTED = 0.25;
const REPLACED = 0.5;

/** On a terminal the text with its doubtful places marked; then, and elsewhere only, one line a token. */
export function showDetection(text: string, tokens: readonly DetectedToken[], output: Output): void {
  if (output.isLive) output.line(markedText(text, tokens, output));
  for (const { token, start, end, replaced } of tokens) {
    const line = `${replaced.toFixed(3)}\t${start}\t${end}\t${token}`;
    output.line(replaced >= REPLACED ? output.style(line, 'red') : line);
  }
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
