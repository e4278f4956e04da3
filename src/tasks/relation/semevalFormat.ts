/** Files of SemEval-2010 task 8: a number and a marked sentence in quotes, its relation, a comment, an empty line. */
import type { TableRow, TextFormat } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';

const SENTENCE = /^(\d+)\t"?(.*?)"?$/;

export const SEMEVAL_FORMAT: TextFormat = {
  name: 'SemEval-2010 task 8',
  matches(text) {
    const first = linesOf(text).find((line) => line.trim() !== '') ?? '';
    return SENTENCE.test(first) && first.includes('<e1>') && first.includes('<e2>');
  },
  parse(text, source) {
    const rows: TableRow[] = [];
    const lines = linesOf(text);
    for (let at = 0; at < lines.length; at++) {
      if (lines[at].trim() === '' || lines[at].startsWith('Comment:')) continue;
      const place = `${source}:${at + 1}`;
      const sentence = SENTENCE.exec(lines[at].trim());
      if (!sentence) {
        throw new DataError(`${place} is no sentence of SemEval-2010 task 8: ${lines[at].slice(0, 60)}`, {
          subject: place,
          expected: 'a number, a tab and a sentence in quotes',
          advice: 'Mend the line, or give the file as CSV or JSON Lines',
        });
      }
      const next = lines[at + 1]?.trim() ?? '';
      // Files of the competition had no relations.
      const hasLabel = next !== '' && !next.startsWith('Comment:') && !SENTENCE.test(next);
      if (hasLabel) at++;
      rows.push({ place, values: { id: sentence[1], text: sentence[2], label: hasLabel ? next : '' } });
    }
    return { source, columns: ['id', 'text', 'label'], rows };
  },
};

const linesOf = (text: string) => text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
