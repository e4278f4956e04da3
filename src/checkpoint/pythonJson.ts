/** JSON as Python writes it: with NaN and Infinity, which are no JSON, and sometimes with a byte order mark. */

/** Stands for NaN until the text is parsed; no file has it. */
const NAN = '\u0000NaN';

/** Texts, and the three words outside of texts. */
const TEXT_OR_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/gs;

/** @throws SyntaxError of `JSON.parse` */
export function parsePythonJson(text: string): unknown {
  const json = text.replace(/^\uFEFF/, '');
  if (!/NaN|Infinity/.test(json)) return JSON.parse(json);
  const numbers = json.replace(TEXT_OR_WORD, (found) => {
    if (found === 'NaN') return JSON.stringify(NAN);
    return found.startsWith('"') ? found : found.replace('Infinity', '1e999'); // beyond float64, hence Infinity
  });
  return JSON.parse(numbers, (_, value) => (value === NAN ? Number.NaN : value));
}
