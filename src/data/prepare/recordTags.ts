/** Entities and phrases that a JSONL record names beside its text. */

import { TAG_KINDS, type TagKind, type TagSpan } from '../tags.js';

/** What a place in a text is counted in: UTF-16 units as JavaScript does, or code points as Python. */
export const TAG_OFFSETS = ['utf16', 'codePoint'] as const;
export type TagOffsets = (typeof TAG_OFFSETS)[number];

/** The fields of a record that hold spans. */
const FIELDS: Readonly<Record<TagKind, string>> = { entity: 'entities', phrase: 'phrases' };

/**
 * The spans of a record, in UTF-16 units of its text: each `[start, end]`, with anything after them (spaCy's label), or
 * an object with `start` and `end`; `end` is exclusive. A field that is absent holds none.
 * @returns the spans, or what is wrong with a field, in words that follow the line's number
 */
export function recordTags(
  record: Readonly<Record<string, unknown>>,
  text: string,
  offsets: TagOffsets,
): TagSpan[] | { problem: string } {
  const spans: TagSpan[] = [];
  // Only text beyond the basic plane counts differently.
  const units = offsets === 'codePoint' && /[\ud800-\udbff]/.test(text) ? unitsOfCodePoints(text) : undefined;
  const length = units ? units.length - 1 : text.length;
  for (const kind of TAG_KINDS) {
    const field = FIELDS[kind];
    const values = record[field] ?? [];
    if (!Array.isArray(values)) return { problem: `has no list in "${field}"` };
    for (const value of values) {
      const [start, end] = Array.isArray(value) ? value : [value?.start, value?.end];
      if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || start >= end || end > length) {
        const found = JSON.stringify(value);
        const expected = `[start, end] with 0 <= start < end <= ${length}, the length of the text (${offsets})`;
        return { problem: `has ${found} in "${field}"; expected ${expected}` };
      }
      spans.push({ kind, start: units?.[start] ?? start, end: units?.[end] ?? end });
    }
  }
  return spans;
}

/** Where each code point begins, in UTF-16 units, and the end of the text. */
function unitsOfCodePoints(text: string): number[] {
  const starts: number[] = [];
  let unit = 0;
  for (const character of text) {
    starts.push(unit);
    unit += character.length;
  }
  return [...starts, unit];
}
