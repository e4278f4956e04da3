/** Settings of SpanBERT's objective: a part of those of pre-training. */
import { z } from 'zod';
import { SPAN_BOUNDARY_DEFAULTS, type SpanBoundaryConfig } from '../models/spanbert.js';
import { count } from '../settings/fieldTypes.js';
import { settingName } from '../settings/settingNames.js';
import type { CommonSettings, OwnSettings } from './objectiveDefinition.js';

const { maxSpanTargets, positionSize, endpoints, edgeSpans } = SPAN_BOUNDARY_DEFAULTS;

export const spanBertFields = {
  sbo: z
    .boolean()
    .default(true)
    .describe('spanbert: also predict masked spans from the tokens beside them. Default true.'),
  sboWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('spanbert: weight of the loss of span boundaries, from 0. Default 1.'),
  maxSpanTargets: count()
    .default(maxSpanTargets)
    .describe(
      `spanbert: tokens of a span that are predicted from its boundaries, from 1; further ones are not. Default ${maxSpanTargets}, as in the command of the released code.`,
    ),
  sboPositionSize: count()
    .default(positionSize)
    .describe(`spanbert: width of the embedding of a token's place in its span. Default ${positionSize}.`),
  endpoints: z
    .enum(['external', 'internal'])
    .default(endpoints)
    .describe(
      `spanbert: the tokens just outside a span are its boundaries, or its own first and last. Default ${endpoints}.`,
    ),
  edgeSpans: z
    .enum(['drop', 'special'])
    .default(edgeSpans)
    .describe(
      `spanbert: spans beside [CLS] or [SEP] are not predicted from boundaries, as in the released code, or have these as boundaries. Default ${edgeSpans}.`,
    ),
  nextSentence: z
    .boolean()
    .default(false)
    .describe(
      'spanbert: rows of two segments, the second from another document in half of them, and the model says which. Default false.',
    ),
};

export const SPANBERT_SETTINGS = { fields: spanBertFields } as const satisfies OwnSettings;

export type SpanBertSettings = { [K in keyof typeof spanBertFields]: z.output<(typeof spanBertFields)[K]> };
/** What only the span boundary head uses. */
const HEAD_FIELDS = ['sboWeight', 'maxSpanTargets', 'sboPositionSize', 'endpoints', 'edgeSpans'] as const;

/** The span boundary head of a run; undefined where it has none. */
export function spanBoundaryOf(s: SpanBertSettings): SpanBoundaryConfig | undefined {
  if (!s.sbo) return undefined;
  const { maxSpanTargets, sboPositionSize, endpoints, edgeSpans } = s;
  return { maxSpanTargets, positionSize: sboPositionSize, endpoints, edgeSpans };
}

/** Settings of SpanBERT that are each in range and do not go together. */
export function spanBertContradictions(s: SpanBertSettings & CommonSettings, given: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  const refuse = (wrong: boolean, problem: string) => wrong && problems.push(problem);
  refuse(
    given.has('discWeight'),
    `${settingName('discWeight')} is set and ${settingName('objective')} is spanbert, which has no discriminator`,
  );
  for (const field of HEAD_FIELDS) {
    refuse(
      !s.sbo && given.has(field),
      `${settingName(field)} is set and ${settingName('sbo')} is false; there is no span boundary head`,
    );
  }
  refuse(
    s.mlmWeight === 0 && (!s.sbo || s.sboWeight === 0),
    s.sbo
      ? `${settingName('mlmWeight')} and ${settingName('sboWeight')} are both 0; nothing would be learned`
      : `${settingName('mlmWeight')} is 0 and ${settingName('sbo')} is false; nothing would be learned`,
  );
  refuse(
    s.duplicates === 'reference',
    `${settingName('duplicates')} is reference and ${settingName('objective')} is spanbert, whose spans are of distinct positions; expected corrected`,
  );
  refuse(
    s.nextSentence && s.segments === 'single',
    `${settingName('nextSentence')} is true and ${settingName('segments')} is single; expected pair, or leave ${settingName('segments')} out`,
  );
  return problems;
}
