/** A text that somebody pasted, as documents to train on. */

/** Characters of a document: a paragraph that is shorter is joined to its neighbour. */
const SHORTEST = 400;

/**
 * Parts a text into documents of a few paragraphs each: as many as there are, so that a tenth of them can be held out.
 * Line ends within a paragraph are kept as spaces.
 */
export function documentsOf(text: string): string[] {
  const paragraphs = text
    .replace(/\r\n?/g, '\n')
    .split(/\n\s*\n|\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '');
  const documents: string[] = [];
  let open = '';
  for (const paragraph of paragraphs) {
    open = open === '' ? paragraph : `${open} ${paragraph}`;
    if (open.length < SHORTEST) continue;
    documents.push(open);
    open = '';
  }
  if (open !== '') documents.push(open);
  return documents;
}
