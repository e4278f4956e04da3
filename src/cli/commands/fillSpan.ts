import { SettingsError } from '../../errors/errors.js';
import { BOXED } from '../../hub/boxedNames.js';
import { type FillSpanOptions, type FillSpanResult, SPAN_JUDGES, type SpanJudge } from '../../pipelines/fillSpan.js';
import { loadFillSpan } from '../../pipelines/load.node.js';
import type { CommandDefinition } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { defaultingTo, LOADING_OPTIONS, modelFolder, ONNX_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';

export const fillSpan: CommandDefinition = {
  name: 'fill-span',
  summary:
    'Gives the best fillings of a gap of several word pieces, written as [MASK]: by the masked LM, by the span boundary head, and by both.',
  arguments: [TEXT_ARGUMENT],
  options: [
    ...defaultingTo(BOXED.span, LOADING_OPTIONS),
    ...ONNX_OPTIONS,
    {
      flags: '--pieces <range>',
      description: 'word pieces of the gap, such as 3, or 1-4 to try each. Default: as many as there are [MASK].',
    },
    {
      flags: '--by <names>',
      description: `whose best fillings: ${SPAN_JUDGES.join(', ')}, commas between. mlm alone needs no span boundary head. Default all.`,
    },
    { flags: '--top-k <number>', description: 'fillings by each. Default 5.' },
    ...TEXT_OPTIONS,
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad fill-span "You are expected to know [MASK] of your country" --pieces 1-4',
    'pleiad fill-span --model run/ "You are expected to know [MASK] of your country" --pieces 1-4',
    'pleiad fill-span --model run/ --by mlm "the chef [MASK] [MASK] meal"',
  ],

  async run(words, options, { output }) {
    const { model, ...settings } = collectProblems({
      model: () => modelFolder(options.model, BOXED.span),
      text: () => checkText(words, options),
      pieces: () => pieceRange(options.pieces),
      by: () => judges(options.by),
      topK: () => wholeNumber('--top-k', options.topK, 1),
    });
    const texts = await readTexts(words, options);
    const filler = await loadFillSpan(model, { ...engineOptions(options), ...pipelineOptions(options, output) });
    try {
      const results = await filler.fill(texts, settings);
      for (const result of results) showFillings(result, output);
      const warnings = warnOfUnknown(texts, filler.tokenizer, output);
      return { json: { ...(options.lines ? { texts: results } : results[0]), warnings } };
    } finally {
      await filler.release();
    }
  },
};

function pieceRange(word: string | boolean | undefined): FillSpanOptions['pieces'] {
  if (word === undefined) return undefined;
  const match = /^(\d+)(?:-(\d+))?$/.exec(String(word).trim());
  const least = Number(match?.[1]);
  const most = Number(match?.[2] ?? match?.[1]);
  if (least >= 1 && most >= least) return [least, most];
  throw new SettingsError([
    `--pieces is ${JSON.stringify(word)}; expected a whole number of at least 1, or a range such as 1-4`,
  ]);
}

function judges(word: string | boolean | undefined): SpanJudge[] | undefined {
  if (word === undefined) return undefined;
  const names = String(word)
    .split(',')
    .map((name) => name.trim());
  const known = SPAN_JUDGES.filter((judge) => names.includes(judge));
  if (known.length === names.length) return known;
  throw new SettingsError([`--by is ${JSON.stringify(word)}; expected some of ${SPAN_JUDGES.join(', ')}`]);
}

const TITLES: Readonly<Record<SpanJudge, string>> = {
  mlm: 'by the masked LM',
  sbo: 'by the span boundaries',
  both: 'by both',
};

function showFillings({ text, fillings }: FillSpanResult, output: Output): void {
  output.line(output.style(text, 'bold'));
  for (const judge of SPAN_JUDGES) {
    const found = fillings[judge];
    if (!found) continue;
    output.line(`  ${TITLES[judge]}, mean log-probability a piece:`);
    for (const { scores, tokens, text: filled } of found) {
      const others = (['mlm', 'sbo'] as const).filter((name) => name !== judge && scores[name] !== undefined);
      const beside = others.map((name) => `${name} ${scores[name]!.toFixed(2)}`).join(', ');
      output.line(
        `    ${scores[judge]!.toFixed(2).padStart(7)}  ${tokens.join(' ')}${beside && output.style(`  (${beside})`, 'dim')}`,
      );
      output.line(output.style(`             ${filled}`, 'dim'));
    }
  }
}
