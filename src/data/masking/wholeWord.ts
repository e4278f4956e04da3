/** Whole words: a word is masked with all its pieces. Spans of one word, as SpanBERT's code has it (§4.4 of the paper). */

import { ONE_WORD } from './lengths.js';
import type { MaskingScheme } from './scheme.js';
import { drawWords, type SpanSettings, spanScheme } from './spanDrawing.js';

/** @throws SettingsError with all settings that are out of range */
export function wholeWordMasking(settings: SpanSettings = {}): MaskingScheme {
  return spanScheme('whole-word', settings, [], () => {
    const draw = drawWords(ONE_WORD, settings.anchor);
    return () => draw;
  });
}
