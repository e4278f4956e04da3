/**
 * Whole words: a word is masked with all its pieces, and never in part. Spans of one word (§4.4 of the SpanBERT paper), whose code
 * cuts the last word at the budget; here a word that would pass it is left out, as in BERT's released code.
 */

import type { MaskingScheme } from './scheme.js';
import { drawWholeWord, type SpanSettings, spanScheme } from './spanDrawing.js';

/** @throws SettingsError with all settings that are out of range */
export function wholeWordMasking(settings: SpanSettings = {}): MaskingScheme {
  return spanScheme('whole-word', settings, [], () => {
    const draw = drawWholeWord(settings.anchor);
    return () => draw;
  });
}
