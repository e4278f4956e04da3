/** The text of a record: of a JSON object, or of a row of a table. */

/** `missing`: the record has the field and it holds null, or a list of nothing. */
export type RecordText = { readonly text: string } | { readonly missing: true } | { readonly problem: string };

const MISSING: RecordText = { missing: true };
/** Names in a message. */
const SHOWN = 8;

/**
 * The fields that a setting names: one, or several with commas between them, whose texts make one document. What is one field's
 * own name, with its commas, is that field.
 * @param has  whether there is such a field or column
 * @returns    those that there are
 */
export function namedFields(field: string, has: (name: string) => boolean): string[] {
  return has(field) ? [field] : partsOf(field).filter(has);
}

/** The names in a setting of several fields. */
export function partsOf(field: string): string[] {
  return field.split(',').map((name) => name.trim());
}

/** The texts of several fields as one, a line each. */
export function joinTexts(found: readonly RecordText[]): RecordText {
  const problem = found.find((each) => 'problem' in each);
  if (problem) return problem;
  const texts = found.flatMap((each) => ('text' in each ? [each.text] : []));
  return texts.length > 0 ? { text: texts.join('\n') } : MISSING;
}

/**
 * The text in a field of a record. A field may lie in others (`meta.text`; a field whose own name has dots goes before);
 * through a list the path leads to all its entries. A list of texts is one text, a line each. A record that is nothing
 * but a string is its own text. Of several fields (`sentence1,sentence2`), those that the record has are one text.
 * @returns the text, that there is none, or what is wrong in words that follow the record's place
 */
export function recordText(record: unknown, field: string): RecordText {
  if (typeof record === 'string') return { text: record };
  if (record === null) return MISSING;
  if (typeof record !== 'object' || Array.isArray(record)) {
    return { problem: `is ${kindOf(record)}, expected an object with text in field "${field}"` };
  }
  const fields = namedFields(field, (name) => valueAt(record, name) !== undefined);
  if (fields.length === 0) {
    return { problem: `has no text in field "${field}"; it has ${namesOf(record).join(', ') || 'no fields'}` };
  }
  return joinTexts(fields.map((name) => textOf(valueAt(record, name), name)));
}

/** The text of a value that a column or field holds. */
export function textOf(value: unknown, field: string): RecordText {
  if (value === null || value === undefined) return MISSING;
  if (typeof value === 'string') return { text: value };
  if (Array.isArray(value)) return textOfList(value.flat(Number.POSITIVE_INFINITY), field);
  const inner = typeof value === 'object' ? namesOf(value).map((name) => `${field}.${name}`) : [];
  const more = inner.length > 0 ? ` with ${inner.join(', ')}` : '';
  return { problem: `has no text in field "${field}": it holds ${kindOf(value)}${more}${columnsAdvice(value)}` };
}

function textOfList(entries: readonly unknown[], field: string): RecordText {
  const there = entries.filter((entry) => entry !== null && entry !== undefined);
  const other = there.find((entry) => typeof entry !== 'string');
  if (other !== undefined) {
    return { problem: `has no text in field "${field}": it holds a list with ${kindOf(other)} in it` };
  }
  return there.length > 0 ? { text: there.join('\n') } : MISSING;
}

/** What a path leads to; null where a part of it is null, undefined where a part is not there. */
export function valueAt(record: unknown, path: string): unknown {
  if (record === null || path === '') return record;
  if (Array.isArray(record)) {
    const values = record.map((entry) => valueAt(entry, path));
    return values.length > 0 && values.every((value) => value === undefined) ? undefined : values;
  }
  if (typeof record !== 'object') return undefined;
  if (Object.hasOwn(record as object, path)) return (record as Record<string, unknown>)[path];
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot);
    if (Object.hasOwn(record as object, name)) {
      return valueAt((record as Record<string, unknown>)[name], path.slice(dot + 1));
    }
  }
  return undefined;
}

/** Names of the fields of an object, those inside others as paths; the first few. */
function namesOf(record: object): string[] {
  const names = Object.entries(record).flatMap(([name, value]) => {
    const inner = Array.isArray(value) ? value[0] : value;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return [name];
    const more = Object.keys(inner);
    return more.length > 0 ? more.map((key) => `${name}.${key}`) : [name];
  });
  return names.length > SHOWN ? [...names.slice(0, SHOWN), '…'] : names;
}

/** pandas' `to_json` writes a column as an object of its rows unless it is told otherwise. */
function columnsAdvice(value: unknown): string {
  const isColumn = typeof value === 'object' && value !== null && Object.keys(value).every((key) => /^\d+$/.test(key));
  return isColumn && Object.keys(value).length > 0
    ? '. The file is written by columns: write it by records (pandas: to_json(path, orient="records", lines=True))'
    : '';
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Uint8Array) return 'bytes';
  const type = typeof value;
  return type === 'object' ? 'an object' : `a ${type === 'bigint' ? 'number' : type}`;
}
