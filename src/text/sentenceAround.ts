/** The sentence around a place of a text. */

/** Units on each side in which the sentence is looked for: segmenting a whole book for one place would take long. */
const SEARCHED = 600;

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

/** UTF-16 units `from` to `to` (exclusive): the sentence, or the sentences, that hold `start` to `end`. */
export function sentenceAround(
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): { readonly from: number; readonly to: number } {
  const before = characterStart(text, Math.max(0, start - SEARCHED));
  const around = text.slice(before, characterStart(text, Math.min(text.length, end + SEARCHED)));
  let [from, to] = [before, before + around.length];
  for (const { index, segment } of SENTENCES.segment(around)) {
    const at = before + index;
    if (at <= start) from = at;
    if (at + segment.length >= end && at + segment.length > start) {
      to = at + segment.length;
      break;
    }
  }
  return { from, to };
}

/** The same place, or one before it that tears no character apart. */
export function characterStart(text: string, at: number): number {
  return /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at;
}
