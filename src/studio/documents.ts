/** A text that somebody pasted, as documents to train on. */

/** Characters of a document, at least: a paragraph that is shorter is joined to its neighbours. */
const SHORTEST = 400;
/** Of a long text the documents are as long as this many allow: rows end with their document, and are padded there. */
const MOST_DOCUMENTS = 300;

/**
 * Parts a text into documents of a few paragraphs each, enough of them that a tenth can be held out. Line ends within a
 * paragraph are kept as spaces.
 */
export function documentsOf(text: string): string[] {
  const paragraphs = text
    .replace(/\r\n?/g, '\n')
    .split(/\n\s*\n|\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '');
  const least = Math.max(SHORTEST, text.length / MOST_DOCUMENTS);
  const documents: string[] = [];
  let open = '';
  for (const paragraph of paragraphs) {
    open = open === '' ? paragraph : `${open} ${paragraph}`;
    if (open.length < least) continue;
    documents.push(open);
    open = '';
  }
  if (open !== '') documents.push(open);
  return documents;
}
