/** A text with marked entities as a row of tokens. */
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import type { TokenRow } from '../tokenRows.js';
import type { EntityPair } from './examples.js';
import type { EntityMarkers } from './markers.js';

export interface PairEncoding {
  readonly tokenizer: WordPieceTokenizer;
  readonly markers: EntityMarkers;
  /** Longest row in tokens. */
  readonly length: number;
}

/**
 * [CLS] … before head after … before tail after … [SEP]. Of a text that is too long the parts farthest from the entities go
 * first, then the middle of what lies between them: both entities stay.
 * @returns the row, and whether anything was cut
 */
export function encodePair(
  { text, head, tail }: EntityPair,
  { tokenizer, markers, length }: PairEncoding,
): TokenRow & { readonly isCut: boolean } {
  const idOf = (piece: string) => tokenizer.tokenToId(piece)!;
  const marks = [
    { at: head.start, opens: true, other: head.end, id: idOf(markers.head[0]) },
    { at: head.end, opens: false, other: head.start, id: idOf(markers.head[1]) },
    { at: tail.start, opens: true, other: tail.end, id: idOf(markers.tail[0]) },
    { at: tail.end, opens: false, other: tail.start, id: idOf(markers.tail[1]) },
  ];
  // At one place an entity ends before another begins; of two that begin the longer does so first, of two that end the shorter.
  marks.sort((a, b) => a.at - b.at || Number(a.opens) - Number(b.opens) || b.other - a.other);
  const ids: number[] = [];
  let from = 0;
  let first = -1;
  for (const { at, id } of marks) {
    ids.push(...tokenizer.encodeIds(text.slice(from, at)));
    if (first < 0) first = ids.length;
    ids.push(id);
    from = at;
  }
  const end = ids.length;
  ids.push(...tokenizer.encodeIds(text.slice(from)));
  const room = length - 2;
  const kept = ids.length <= room ? ids : shortened(ids, first, end, room);
  const row = Int32Array.of(tokenizer.clsId, ...kept, tokenizer.sepId);
  return { ids: row, typeIds: new Int32Array(row.length), isCut: kept !== ids };
}

/** @param first  and `end`: the pieces from the first marker to behind the last */
function shortened(ids: readonly number[], first: number, end: number, room: number): number[] {
  const inner = end - first;
  if (inner > room) {
    const half = Math.ceil(room / 2);
    return [...ids.slice(first, first + half), ...ids.slice(end - (room - half), end)];
  }
  const spare = room - inner;
  const after = Math.min(ids.length - end, Math.max(Math.floor(spare / 2), spare - first));
  return ids.slice(first - (spare - after), end + after);
}
