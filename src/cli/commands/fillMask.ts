import { BOXED } from '../../hub/boxedNames.js';
import type { FillMaskResult } from '../../pipelines/fillMask.js';
import { loadFillMask } from '../../pipelines/load.node.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { defaultingTo, LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const fillMask: CommandDefinition = {
  name: 'fill-mask',
  summary: 'Gives the most probable tokens for each [MASK] of a text, and the best fillings of all of them together.',
  arguments: [TEXT_ARGUMENT],
  options: [
    ...defaultingTo(BOXED.pair, LOADING_OPTIONS),
    ...ONNX_OPTIONS,
    { flags: '--top-k <number>', description: 'candidates of each mask, and joint fillings. Default 5.' },
    ...TEXT_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad fill-mask "The capital of [MASK] is Paris."',
    'pleiad fill-mask --model run/ "the chef [MASK] the [MASK]"',
  ],

  async run(words, options, { output }) {
    const { model, topK } = collectProblems({
      model: () => modelFolder(options.model, BOXED.pair),
      text: () => checkText(words, options),
      topK: () => wholeNumber('--top-k', options.topK, 1),
    });
    const texts = await readTexts(words, options);
    const filler = await loadFillMask(model, {
      ...engineOptions(options),
      ...pipelineOptions(options, output),
    });
    try {
      const results = await filler.fill(texts, { topK });
      for (const result of results) showFillings(result, output);
      const warnings = warnOfUnknown(texts, filler.tokenizer, output);
      return { json: { ...(options.lines ? { texts: results } : results[0]), warnings } };
    } finally {
      await filler.release();
    }
  },
};

export function showFillings({ text, masks, fillings }: FillMaskResult, output: Output): void {
  output.line(output.style(text, 'bold'));
  masks.forEach(({ candidates }, i) => {
    const listed = candidates.map(({ token, score }) => `${token} ${score.toFixed(3)}`).join('  ');
    output.line(`  mask ${i + 1}: ${listed}`);
  });
  if (masks.length < 2) return;
  for (const filling of fillings)
    output.line(`  ${Math.exp(filling.logProbability).toExponential(2)}  ${filling.text}`);
}
