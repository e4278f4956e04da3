/** Settings of masking: a part of those of pre-training, and all that looking at a mask needs. */
import { z } from 'zod';
import { REPLACEMENT_UNITS } from '../data/masking/actions.js';
import { BUDGET_RULES } from '../data/masking/budget.js';
import { MASKING_NAMES, type MaskingName, type MaskingSettings, tagKindsOf } from '../data/masking/createMasking.js';
import { count, fraction, style } from '../settings/fieldTypes.js';
import { settingName } from '../settings/settingNames.js';

const paperStyle = () => z.enum(['reference', 'paper']);

/** "span,whole-word" is a list. */
const schemeNames = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value),
  z.array(z.enum(MASKING_NAMES)).min(1),
) as unknown as z.ZodType<MaskingName[], string | readonly string[]>;

export const maskingFields = {
  masking: schemeNames
    .optional()
    .describe(
      'Masking scheme: random tokens, whole words, spans with geometric or uniform lengths, tagged entities or phrases; of several, as span,whole-word, one for each block. Default random; span for spanbert.',
    ),
  maskProb: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Fraction of tokens that is masked, 0 to 1. Default by size: 0.15, large 0.25; 0.15 for spanbert.'),
  maskBudget: z
    .enum(BUDGET_RULES)
    .optional()
    .describe(
      'How many tokens that is. electra: rounded, of all tokens of a row, [CLS] and [SEP] counted; spanbert: rounded up, of the text. Default electra for random alone, else spanbert.',
    ),
  maskKeepProb: fraction()
    .optional()
    .describe(
      'Fraction of masked slots that keep their token in the input, 0 to 1. Default 0.15, as released; 0.1 for mlm and spanbert.',
    ),
  maskRandomProb: fraction()
    .optional()
    .describe(
      'Fraction of masked slots that show a random token, 0 to 1. Default 0; 0.1 for mlm and spanbert, as in BERT.',
    ),
  randomTokens: z
    .enum(['unigram', 'uniform'])
    .optional()
    .describe(
      'Random tokens as frequent as in the training text, as SpanBERT, or any, as BERT. Default uniform for random masking alone, else unigram.',
    ),
  replacementUnit: z
    .enum(REPLACEMENT_UNITS)
    .optional()
    .describe('Whether a span is masked, replaced or kept as a whole or each piece apart. Default span.'),
  duplicates: style()
    .default('corrected')
    .describe(
      'reference draws masked slots with replacement as the released code does, corrected without. Default corrected.',
    ),
  geometricP: z.number().gt(0).max(1).optional().describe('p of the law of span lengths, 0 to 1. Default 0.2.'),
  maxSpanLength: count().optional().describe('Longest span that is drawn, in whole words. Default 10.'),
  lengthLaw: paperStyle()
    .optional()
    .describe(
      'Span lengths above `maxSpanLength`: reference does without them (mean 3.8 words), paper counts them as `maxSpanLength` (4.5). Default reference.',
    ),
  spanAnchor: paperStyle()
    .optional()
    .describe(
      'Where a span begins: reference draws a piece and takes its word, which favours long words; paper draws a word. Default reference.',
    ),
  tags: z
    .string()
    .min(1)
    .optional()
    .describe('Tag file of the shards, for masking entity or phrase. Default: the tags in the shards.'),
  tagProb: fraction().optional().describe('Part of the draws that take a tagged span, 0 to 1. Default 0.5.'),
  tagFallback: paperStyle()
    .optional()
    .describe(
      'What is masked beside tagged spans: reference spans of geometric length, paper whole words. Default reference.',
    ),
};

type MaskingField = keyof typeof maskingFields;
/** Masking settings as parsed: what has no default of its own may be absent. */
export type ParsedMasking = { [K in MaskingField]: z.output<(typeof maskingFields)[K]> };
/** With every default filled in. `tags` has none. */
export type ResolvedMasking = MaskingSettings & { readonly tags?: string };

/** The defaults that depend on nothing but the scheme. */
export function maskingDefaults({ masking }: { masking: readonly MaskingName[] }) {
  const isRandom = masking.every((name) => name === 'random');
  return {
    maskBudget: isRandom ? 'electra' : 'spanbert',
    randomTokens: isRandom ? 'uniform' : 'unigram',
    replacementUnit: 'span',
    geometricP: 0.2,
    maxSpanLength: 10,
    lengthLaw: 'reference',
    spanAnchor: 'reference',
    tagProb: 0.5,
    tagFallback: 'reference',
  } as const;
}

/** Masking settings that are each in range and do not go together. */
export function maskingContradictions(s: ResolvedMasking, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  const names = s.masking.join(', ');
  refuse(
    new Set(s.masking).size < s.masking.length,
    `${settingName('masking')} is ${names}; expected every scheme once`,
  );
  refuse(
    s.maskKeepProb + s.maskRandomProb > 1,
    `${settingName('maskKeepProb')} is ${s.maskKeepProb} and ${settingName('maskRandomProb')} is ${s.maskRandomProb}; expected a sum of at most 1`,
  );
  refuse(
    given.has('randomTokens') && s.maskRandomProb === 0,
    `${settingName('randomTokens')} is set and ${settingName('maskRandomProb')} is 0; no token is replaced by a random one`,
  );
  refuse(
    s.duplicates === 'reference' && names !== 'random',
    `${settingName('duplicates')} is reference and ${settingName('masking')} is ${names}; only random draws tokens one by one`,
  );
  const used = usedFields(s);
  for (const field of SCHEME_FIELDS) {
    refuse(
      given.has(field) && !used.has(field),
      `${settingName(field)} is set and ${settingName('masking')} is ${names}; ${UNUSED[field]}`,
    );
  }
  return problems;
}

/** Settings that not every scheme uses, and who does. */
const UNUSED = {
  replacementUnit: 'random has no spans',
  spanAnchor: 'random has no spans',
  geometricP: 'only span draws lengths by it, and entity and phrase beside tagged spans',
  lengthLaw: 'only span draws lengths by it, and entity and phrase beside tagged spans',
  maxSpanLength: 'only span and uniform-span have it, and entity and phrase beside tagged spans',
  tags: 'only entity and phrase use tags',
  tagProb: 'only entity and phrase use tags',
  tagFallback: 'only entity and phrase use tags',
} as const satisfies Partial<Record<MaskingField, string>>;
export const SCHEME_FIELDS = Object.keys(UNUSED) as (keyof typeof UNUSED)[];

function usedFields({ masking, tagFallback }: ResolvedMasking): ReadonlySet<string> {
  const isTagged = tagKindsOf(masking).length > 0;
  const hasGeometric = masking.includes('span') || (isTagged && tagFallback === 'reference');
  const hasLengths = hasGeometric || masking.includes('uniform-span');
  return new Set([
    ...(masking.some((name) => name !== 'random') ? ['replacementUnit', 'spanAnchor'] : []),
    ...(hasGeometric ? ['geometricP', 'lengthLaw'] : []),
    ...(hasLengths ? ['maxSpanLength'] : []),
    ...(isTagged ? ['tags', 'tagProb', 'tagFallback'] : []),
  ]);
}
