/** ELECTRA's idea on a text of one's own (arXiv 2003.10555 fig. 2): original, masked, corrupted, doubted. */
import { CheckpointError, SettingsError } from '../../errors/errors.js';
import { BOXED } from '../../hub/boxedNames.js';
import { loadReplacedTokenDetection, loadTextCorruption } from '../../pipelines/load.node.js';
import type { DetectedToken } from '../../pipelines/replacedTokenDetection.js';
import type { CorruptedPlace, CorruptedText } from '../../pipelines/textCorruption.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { CommandDefinition, OptionDefinition, OptionValues } from '../command.js';
import { ENGINE_OPTIONS, engineOptions } from '../engineOptions.js';
import { boxedModel, LOADING_OPTIONS, pipelineOptions } from '../modelOption.js';
import { collectProblems, numberAbove, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { shellQuoted } from '../shellQuoted.js';
import { checkText, readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';
import { warnOfUnknown } from '../unknownWarning.js';
import { colourLegend, markedText } from './detect.js';

const HALVES: readonly OptionDefinition[] = [
  {
    flags: '--model <name>',
    description: `a run folder or a checkpoint, which has both halves, the generator and the discriminator. Default: ${BOXED.pair}, from the package pleiad-models.`,
  },
  { flags: '--generator <name>', description: 'where the generator is: a model folder, a run, or a name on the hub' },
  { flags: '--discriminator <name>', description: 'where the discriminator is, likewise' },
];

export const corrupt: CommandDefinition = {
  name: 'corrupt',
  summary:
    "Shows ELECTRA's idea on a text: some word pieces are masked, the generator fills them, and the discriminator says of " +
    'each token how probable it is that it was replaced.',
  arguments: [TEXT_ARGUMENT],
  options: [
    ...HALVES,
    {
      flags: '--seed <number>',
      description: 'seed of what is masked and drawn; another one gives another corruption. Default 0.',
    },
    {
      flags: '--mask-prob <fraction>',
      description: 'fraction of the word pieces that is masked, above 0, up to 1; at least one is. Default 0.15.',
    },
    {
      flags: '--temperature <number>',
      description: 'divides the logits of the generator before it draws, above 0: lower is surer. Default 1.',
    },
    ...TEXT_OPTIONS,
    ...LOADING_OPTIONS.filter(({ flags }) => !flags.startsWith('--model')),
    ...ENGINE_OPTIONS,
  ],
  examples: [
    'pleiad corrupt "The chef cooked the meal"',
    'pleiad corrupt --model run/ "The chef cooked the meal"',
    'pleiad corrupt --generator google/electra-small-generator --discriminator google/electra-small-discriminator "The chef cooked the meal"',
  ],
  flagNames: { fraction: '--mask-prob' },

  async run(words, options, { output }) {
    const { places, seed, fraction, temperature, engine, loading } = collectProblems({
      places: () => halves(options),
      text: () => checkText(words, options),
      seed: () => wholeNumber('--seed', options.seed, 0) ?? 0,
      fraction: () => numberAbove('--mask-prob', options.maskProb, 0, 1) ?? 0.15,
      temperature: () => numberAbove('--temperature', options.temperature, 0) ?? 1,
      engine: () => engineOptions(options),
      loading: () => pipelineOptions(options, output),
    });
    const texts = await readTexts(words, options);
    const settings = { seed, fraction, temperature };
    const { results, tokenizer } = await corruptAll(texts, settings, { places, loading: { ...engine, ...loading } });
    for (const [i, result] of results.entries()) {
      if (i > 0) output.line();
      for (const line of corruptionLines(result, output)) output.line(line);
    }
    output.line();
    output.paragraph(`Masked with --seed ${seed}; another seed gives another corruption.${colourLegend(output)}`);
    const json = results.map(toJson);
    const warnings = warnOfUnknown(texts, tokenizer, output);
    const given = { seed, maskProb: fraction, temperature, warnings };
    return { json: options.lines ? { ...given, texts: json } : { ...given, ...json[0] } };
  },
};

/** Where both halves are. */
interface Halves {
  readonly generator: string;
  readonly discriminator: string;
}

function halves({ model, generator = model, discriminator = model }: OptionValues): Halves {
  const isGiven = (word: string | boolean | undefined): word is string => typeof word === 'string' && word !== '';
  if (isGiven(generator) && isGiven(discriminator)) return { generator, discriminator };
  if (isGiven(generator) || isGiven(discriminator)) {
    throw new SettingsError([
      `--${isGiven(generator) ? 'discriminator' : 'generator'} is missing; expected the other half too, or --model with a run, which has both`,
    ]);
  }
  const boxed = boxedModel(BOXED.pair);
  return { generator: boxed, discriminator: boxed };
}

interface Result {
  readonly original: string;
  readonly corrupted: CorruptedText;
  readonly tokens: readonly DetectedToken[];
}

async function corruptAll(
  texts: readonly string[],
  settings: { seed: number; fraction: number; temperature: number },
  { places, loading }: { places: Halves; loading: Parameters<typeof loadTextCorruption>[1] },
): Promise<{ results: Result[]; tokenizer: WordPieceTokenizer }> {
  const corrupter = await loadTextCorruption(places.generator, loading).catch(adviseHalves(places));
  const corrupted: CorruptedText[] = [];
  try {
    // As in pre-training any piece may be masked, not whole words alone.
    for (const text of texts) corrupted.push(await corrupter.corrupt(text, { ...settings, unit: 'piece' }));
  } finally {
    await corrupter.release();
  }
  const detector = await loadReplacedTokenDetection(places.discriminator, loading).catch(adviseHalves(places));
  try {
    const detected = await detector.detect(corrupted.map(({ text }) => text));
    const results = texts.map((original, i) => ({ original, corrupted: corrupted[i], tokens: detected[i] }));
    return { results, tokenizer: detector.tokenizer };
  } finally {
    await detector.release();
  }
}

/** One half given as `--model` lacks the other: says how both are given. */
function adviseHalves({ generator, discriminator }: Halves): (error: unknown) => never {
  return (error) => {
    const isOneHalf = error instanceof CheckpointError && /^Electra/.test(String(error.found));
    if (!isOneHalf || generator !== discriminator) throw error;
    const place = generator.replaceAll('generator', 'discriminator');
    const both = ['--generator', place.replaceAll('discriminator', 'generator'), '--discriminator', place];
    const { message, advice = '', subject, found, expected } = error;
    throw new CheckpointError(message.replace(`. ${advice}`, ''), {
      subject,
      found,
      expected,
      advice: place.includes('discriminator')
        ? `Give both halves: ${both.map(shellQuoted).join(' ')}`
        : 'Give both halves, with --generator and --discriminator',
      cause: error,
    });
  };
}

/** Four lines, and one for each place that was masked. */
function corruptionLines({ original, corrupted, tokens }: Result, output: Output): string[] {
  const doubt = tokens.map(({ token, replaced }) => `${token} ${replaced.toFixed(2)}`).join('  ');
  const lines = { original, masked: corrupted.masked, corrupted: markedText(corrupted.text, tokens, output), doubt };
  return [
    ...Object.entries(lines).map(([name, text]) => `${output.style(name.padEnd(11), 'bold')}${text}`),
    ...corrupted.places.map((place) => `  ${placeText(place, tokens)}`),
    ...(corrupted.places.length === 0
      ? ['  nothing could be masked: the text has no word that the vocabulary knows']
      : []),
  ];
}

function placeText(place: CorruptedPlace, tokens: readonly DetectedToken[]): string {
  const { original, drawn, isReplaced } = place;
  const doubt = `doubt ${doubtOf(place, tokens).toFixed(2)}`;
  return isReplaced
    ? `${original} → ${drawn}: ${doubt}`
    : `${original}: drawn again, so it counts as original; ${doubt}`;
}

/** The largest doubt of the tokens in a place: written into the text, a piece may be cut into others. */
function doubtOf({ start, end }: CorruptedPlace, tokens: readonly DetectedToken[]): number {
  const touched = tokens.filter((token) => token.start < end && token.end > start);
  return Math.max(0, ...touched.map(({ replaced }) => replaced));
}

function toJson({ original, corrupted: { text, masked, places }, tokens }: Result) {
  return {
    original,
    masked,
    corrupted: text,
    places: places.map((place) => ({ ...place, doubt: doubtOf(place, tokens) })),
    tokens,
  };
}
