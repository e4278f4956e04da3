/** The lines of TypeScript that make the figures of screen "SpanBERT". */

const quoted = (text: string) => JSON.stringify(text);

/** @param place  from 1 */
export function spanCode(model: string, text: string, span: { start: number; end: number }, place: number): string {
  const masked = text.slice(span.start, span.end);
  return `import { BertForMaskedLM } from 'pleiad/node';

const model = await BertForMaskedLM.fromPretrained(${quoted(model)});
const { ids, tokens } = model.tokenizer!.encode(${quoted(text)});
// Hide ${quoted(masked)}: give the positions of its pieces, counted from [CLS] = 0.
const [start, end] = [${quoted(masked.split(/\s+/)[0])}, ${quoted(masked.split(/\s+/).at(-1) ?? '')}].map((word) => tokens.indexOf(word));
const inputIds = [ids.slice().fill(model.tokenizer!.maskId, start, end + 1)];
// Both heads: the masked LM at the hidden places, the boundary head asked with p_${place}.
const spans = [{ row: 0, start, end: end + 1, offsets: [${place - 1}] }];
const { logits, boundaryLogits } = await model.run({ inputIds, spans }, { positions: [[start]] });`;
}

export function throwCode(): string {
  return `import { showMask } from 'pleiad';

const { tokens, spans } = showMask('You are expected to know the laws of your country', { masking: 'span', seed: 1 });
console.log(spans.map(({ start, end }) => tokens.slice(start, end + 1).join(' ')));`;
}
