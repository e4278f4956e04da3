/** Spans of whole words whose lengths are all equally frequent: the uniform law of the SpanBERT code, which crashes there. */

import { uniformLengths } from './lengths.js';
import type { MaskingScheme } from './scheme.js';
import { drawWords, type SpanSettings, spanScheme } from './spanDrawing.js';

export interface UniformSpanSettings extends SpanSettings {
  /** Longest span that is drawn, in whole words. Default 10. */
  readonly maxSpanLength?: number;
}

/** @throws SettingsError with all settings that are out of range */
export function uniformSpanMasking(settings: UniformSpanSettings = {}): MaskingScheme {
  return spanScheme('uniform-span', settings, maxSpanLengthProblems(settings.maxSpanLength), () => {
    const draw = drawWords(uniformLengths(settings.maxSpanLength ?? 10), settings.anchor);
    return () => draw;
  });
}

export function maxSpanLengthProblems(maxSpanLength = 10): string[] {
  if (Number.isInteger(maxSpanLength) && maxSpanLength >= 1) return [];
  return [`maxSpanLength is ${maxSpanLength}; expected a whole number of words from 1`];
}
