/** The lines of TypeScript that make the figures of screen "SpanBERT". */
import type { SpanOutput } from '../../../../src/studio/calls/predictSpan.js';

const quoted = (text: string) => JSON.stringify(text);

/** What the edges of a span say at a place, from 1. */
export function boundaryCode(
  model: string,
  text: string,
  { start, end }: Pick<SpanOutput, 'start' | 'end'>,
  place: number,
): string {
  return `import { AutoTokenizer, BertForMaskedLM } from 'pleiad/node';

const model = await BertForMaskedLM.fromPretrained(${quoted(model)});
const tokenizer = await AutoTokenizer.fromPretrained(${quoted(model)});
const { ids, offsets } = tokenizer.encode(${quoted(text)});
// The pieces of ${quoted(text.slice(start, end))}, which are hidden; their edges are asked for place ${place}.
const hidden = [...ids.keys()].filter((i) => offsets[2 * i] < ${end} && offsets[2 * i + 1] > ${start});
const span = { row: 0, start: hidden[0], end: hidden[0] + hidden.length, offsets: [${place - 1}] };
const inputIds = [ids.slice().fill(tokenizer.maskId, span.start, span.end)];
const { boundaryLogits } = await model.run({ inputIds, spans: [span] });
const logits = [...(boundaryLogits?.data ?? [])];
console.log(tokenizer.idToToken(logits.indexOf(Math.max(...logits))));`;
}

/** What the masked LM says of the pieces of a span. */
export function maskedCode(model: string, text: string, { start, end, masked }: SpanOutput): string {
  const masks = masked.map(() => '[MASK]').join(' ');
  return `import { pipeline } from 'pleiad/node';

const fill = await pipeline('fill-mask', { model: ${quoted(model)} });
console.log(await fill(${quoted(text.slice(0, start) + masks + text.slice(end))}, { topK: 6 }));`;
}

/** Spans thrown over a text, as training throws them. */
export function throwCode(text: string): string {
  return `import { showMask } from 'pleiad';

// Until 15 % of the text is hidden; each epoch throws others.
for (let epoch = 0; epoch < 10; epoch++) {
  const { tokens, spans } = showMask(${quoted(text)}, { masking: 'span', epoch });
  console.log(spans.map(({ start, end }) => tokens.slice(start, end + 1).join(' ')));
}`;
}
