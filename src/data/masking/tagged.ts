/**
 * Entities or phrases that the text is tagged with, mixed with other spans: the linguistically informed schemes of the
 * SpanBERT paper (arXiv 1907.10529 §5.1).
 */

import type { RandomStream } from '../../random/philox.js';
import { type TagKind, taggedSpans } from '../tags.js';
import type { MaskingBlock, MaskingScheme } from './scheme.js';
import { type GeometricLengthSettings, geometricProblems, lengthsOf } from './span.js';
import { drawWholeWord, drawWords, type SpanCanvas, type SpanSettings, spanScheme } from './spanDrawing.js';

export interface TaggedMaskingSettings extends SpanSettings, GeometricLengthSettings {
  /** Part of the draws that take a tagged span, 0 to 1. Default 0.5. */
  readonly tagProb?: number;
  /**
   * What is masked otherwise: spans with geometric lengths (`reference`, the released code's ner_span; default) or whole
   * words (`paper`, §5.1). As released, the budget may cut the last span, tagged or not; with `paper` tagged spans and words that
   * would pass it are left out, so that all of them are masked whole.
   */
  readonly tagFallback?: 'reference' | 'paper';
}

/**
 * @param kind  the tags to use; where a block has none (left), the other spans are drawn
 * @throws SettingsError with all settings that are out of range
 */
export function taggedMasking(kind: TagKind, settings: TaggedMaskingSettings = {}): MaskingScheme {
  const { tagProb = 0.5, tagFallback = 'reference' } = settings;
  const problems = geometricProblems(settings);
  if (!(tagProb >= 0 && tagProb <= 1)) problems.push(`tagProb is ${tagProb}; expected 0 to 1`);
  if (tagFallback !== 'reference' && tagFallback !== 'paper') {
    problems.push(`tagFallback is ${tagFallback}; expected reference or paper`);
  }
  return spanScheme(kind, settings, problems, () => {
    const isWhole = tagFallback === 'paper';
    const fallback = isWhole ? drawWholeWord(settings.anchor) : drawWords(lengthsOf(settings), settings.anchor);
    return (block) => {
      const tagged = tagsOf(block, kind);
      return (canvas, random) => {
        const span = random.uniform() < tagProb ? drawTagged(tagged, { canvas, isWhole }, random) : undefined;
        if (span) canvas.maskRange(...span);
        else fallback(canvas, random);
      };
    };
  });
}

function tagsOf({ tags, n }: MaskingBlock, kind: TagKind): [number, number][] {
  return tags ? taggedSpans(tags, kind, n) : [];
}

/**
 * Takes one of the spans out of the list, at random, passing over those that are masked already and, where spans must stay whole,
 * those that the budget would cut.
 */
function drawTagged(
  spans: [number, number][],
  { canvas, isWhole }: { canvas: SpanCanvas; isWhole: boolean },
  random: RandomStream,
): [number, number] | undefined {
  while (spans.length > 0) {
    const [span] = spans.splice(random.integer(spans.length), 1);
    if (isWhole ? canvas.fits(...span) : canvas.hasFree(...span)) return span;
  }
  return undefined;
}
