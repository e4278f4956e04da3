/** SpanBERT's own scheme: spans of whole words, their lengths from a geometric law (arXiv 1907.10529 §3.1). */

import { geometricLengths, type LengthLaw } from './lengths.js';
import type { MaskingScheme } from './scheme.js';
import { drawWords, type SpanSettings, spanScheme } from './spanDrawing.js';
import { maxSpanLengthProblems } from './uniformSpan.js';

export interface GeometricLengthSettings {
  /** p of the geometric law, above 0, up to 1. Default 0.2. */
  readonly geometricP?: number;
  /** Longest span that is drawn, in whole words. Default 10. */
  readonly maxSpanLength?: number;
  /** `reference` (default) truncates and renormalises the law at `maxSpanLength`, `paper` clips it. */
  readonly lengthLaw?: 'reference' | 'paper';
}

export interface SpanMaskingSettings extends SpanSettings, GeometricLengthSettings {}

/** @throws SettingsError with all settings that are out of range */
export function spanMasking(settings: SpanMaskingSettings = {}): MaskingScheme {
  return spanScheme('span', settings, geometricProblems(settings), () => {
    const draw = drawWords(lengthsOf(settings), settings.anchor);
    return () => draw;
  });
}

export function lengthsOf({ geometricP = 0.2, maxSpanLength = 10, lengthLaw }: GeometricLengthSettings): LengthLaw {
  return geometricLengths(geometricP, maxSpanLength, lengthLaw);
}

/** What is wrong with the settings, one sentence each. */
export function geometricProblems({
  geometricP = 0.2,
  maxSpanLength,
  lengthLaw = 'reference',
}: GeometricLengthSettings): string[] {
  const problems = maxSpanLengthProblems(maxSpanLength);
  if (!(geometricP > 0 && geometricP <= 1)) problems.push(`geometricP is ${geometricP}; expected above 0, up to 1`);
  if (lengthLaw !== 'reference' && lengthLaw !== 'paper') {
    problems.push(`lengthLaw is ${lengthLaw}; expected reference or paper`);
  }
  return problems;
}
