/**
 * Tags that say where spans of words begin and end: IOB1, BIO (IOB2), IO and BIOES, all read by conlleval's rules; and tags
 * that stand for themselves, such as parts of speech.
 */

/** The schemes that are told apart. `plain`: each word has a tag of its own, and there are no spans. */
export type TagScheme = 'IOB1' | 'BIO' | 'IO' | 'BIOES' | 'plain';

/** How tags are written: with prefixes (`B-LOC`), as the bare type beside `O`, or as names that form no spans. */
export type TagForm = 'prefixed' | 'bare' | 'plain';

/** Where a word lies in a span: outside, at its beginning, inside, at its end, or a span by itself. */
export type TagPlace = 'O' | 'B' | 'I' | 'E' | 'S';

export interface TagParts {
  readonly place: TagPlace;
  /** Empty outside. */
  readonly type: string;
}

/** Words `start` to `end` (exclusive) of a sentence. */
export interface TagSpan {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

export const OUTSIDE = 'O';
const PREFIXED = /^([BIESLUM])-(.+)$/s;
/** BILOU and BMES are BIOES by other letters. */
const PLACES: Readonly<Record<string, TagPlace>> = { B: 'B', I: 'I', M: 'I', E: 'E', L: 'E', S: 'S', U: 'S' };

/** One `B-` or `I-` makes a tag set one with prefixes: `S-` or `E-` alone may begin a name. */
export function tagForm(tags: Iterable<string>): TagForm {
  let hasOutside = false;
  for (const tag of tags) {
    if (/^[BI]-./.test(tag)) return 'prefixed';
    if (tag === OUTSIDE) hasOutside = true;
  }
  return hasOutside ? 'bare' : 'plain';
}

/** Whether a tag can be read in a set of that form. */
export function isTag(tag: string, form: TagForm): boolean {
  return form !== 'prefixed' || tag === OUTSIDE || PREFIXED.test(tag);
}

/** A tag of a plain set is a span by itself: conlleval's option -r. */
export function tagParts(tag: string, form: TagForm): TagParts {
  if (form === 'plain') return { place: 'S', type: tag };
  if (tag === OUTSIDE) return { place: 'O', type: '' };
  const [, prefix, type] = (form === 'prefixed' && PREFIXED.exec(tag)) || [];
  return prefix === undefined ? { place: 'I', type: tag } : { place: PLACES[prefix], type };
}

const NOTHING: TagParts = { place: 'O', type: '' };

/** Whether a span begins at a word, by its tag and the one before it (conlleval; E and S as seqeval reads them). */
export function beginsSpan(before: TagParts, tag: TagParts): boolean {
  if (tag.place === 'O') return false;
  if (tag.place === 'B' || tag.place === 'S') return true;
  return before.place === 'O' || before.place === 'E' || before.place === 'S' || before.type !== tag.type;
}

/** The spans of a sentence. Every sequence of tags has some: an `I-` that continues nothing begins a span. */
export function spansOf(tags: readonly string[], form: TagForm): TagSpan[] {
  const spans: { type: string; start: number; end: number }[] = [];
  let before = NOTHING;
  for (const [at, tag] of tags.entries()) {
    const parts = tagParts(tag, form);
    if (beginsSpan(before, parts)) spans.push({ type: parts.type, start: at, end: at + 1 });
    else if (parts.place !== 'O') spans[spans.length - 1].end = at + 1;
    before = parts;
  }
  return spans;
}

export interface SchemeFound {
  readonly scheme: TagScheme;
  readonly form: TagForm;
  /** In BIO: tags `I-` that continue nothing, and are read as a beginning. */
  readonly loose: number;
}

/** The scheme of tagged sentences. */
export function schemeOf(sentences: Iterable<readonly string[]>): SchemeFound {
  const all = [...sentences];
  const form = tagForm(new Set(all.flat()));
  if (form !== 'prefixed') return { scheme: form === 'bare' ? 'IO' : 'plain', form, loose: 0 };
  const begins = { B: 0, I: 0 };
  let parting = 0; // B- right after a span of its own type: the only one that IOB1 has
  for (const tags of all) {
    let before = NOTHING;
    for (const tag of tags) {
      const parts = tagParts(tag, form);
      const { place } = parts;
      if (place === 'E' || place === 'S') return { scheme: 'BIOES', form, loose: 0 };
      if (place === 'B' && before.type === parts.type) parting++;
      else if (place !== 'O' && beginsSpan(before, parts)) begins[place]++;
      before = parts;
    }
  }
  if (begins.B === 0) return { scheme: parting === 0 ? 'IO' : 'IOB1', form, loose: 0 };
  return { scheme: 'BIO', form, loose: begins.I };
}

/** How many types, or, of plain tags, names there are. */
export function typesOf(labels: readonly string[]): string[] {
  const form = tagForm(labels);
  return [...new Set(labels.map((label) => tagParts(label, form).type))].filter((type) => type !== '');
}

/**
 * The labels of a model that learns these tags: `O`, then type by type. With prefixes, each type gets all that the set has: a
 * type that only ever was one word long in training may be longer elsewhere.
 */
export function labelsOfTags(tags: Iterable<string>): string[] {
  const found = new Set(tags);
  const form = tagForm(found);
  const outside = found.has(OUTSIDE) ? [OUTSIDE] : [];
  if (form !== 'prefixed') return [...outside, ...[...found].filter((tag) => tag !== OUTSIDE).sort()];
  const parted = [...found].flatMap((tag) => {
    const [, prefix, type] = PREFIXED.exec(tag) ?? [];
    return prefix === undefined ? [] : [{ prefix, type }];
  });
  const prefixes = [...'BIMLEUS'].filter((prefix) => parted.some((tag) => tag.prefix === prefix));
  // One without I- would be no scheme.
  if (!prefixes.includes('I') && !prefixes.includes('M')) prefixes.splice(1, 0, 'I');
  const types = [...new Set(parted.map(({ type }) => type))].sort();
  return [...outside, ...types.flatMap((type) => prefixes.map((prefix) => `${prefix}-${type}`))];
}
