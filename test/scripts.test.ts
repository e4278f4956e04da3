/**
 * New vocabularies of many scripts, with our defaults: what tells words apart is kept, nothing becomes [UNK], text without
 * spaces is read. Each language with pairs of words that differ in one sign.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalize } from '../src/text/normalization.js';
import { PUBLISHED_NORMALIZATION, type TokenizerOptions, WordPieceTokenizer } from '../src/text/tokenizer.js';
import { VocabularyTrainer } from '../src/text/vocabularyTraining.js';

type Pair = readonly [string, string];

/** Pairs that the published uncased BERT takes for one word, or for a word that any other text gives as well. */
const MERGED_AS_PUBLISHED: Readonly<Record<string, readonly Pair[]>> = {
  Japanese: [
    ['パン', 'ハン'],
    ['かぎ', 'かき'],
    ['でんわ', 'てんわ'],
    ['バス', 'ハス'],
  ],
  Hindi: [
    ['कुल', 'कल'],
    ['पुर', 'पर'],
    ['हूँ', 'ह'],
  ],
  Marathi: [
    ['मुल', 'मल'],
    ['शेत', 'शत'],
  ],
  Thai: [
    ['น้ำ', 'นำ'],
    ['พี่', 'พ'],
    ['ข้าว', 'ขาว'],
    ['ใกล้', 'ใกล'],
  ],
  Lao: [
    ['ໃກ້', 'ໃກ'],
    ['ມື້', 'ມ'],
  ],
  Khmer: [
    ['ទិញ', 'ទញ'],
    ['ស្រី', 'សរ'],
  ],
  Burmese: [
    ['မို', 'မ'],
    ['ကို', 'က'],
    ['သူ', 'သ'],
  ],
  Tamil: [
    ['கல்', 'கல'],
    ['மீன்', 'மன'],
  ],
  Bengali: [
    ['কুল', 'কল'],
    ['চাঁদ', 'চাদ'],
  ],
  Gujarati: [['કુલ', 'કલ']],
  Punjabi: [['ਕੁਲ', 'ਕਲ']],
  Kannada: [['ಕಲ್', 'ಕಲ']],
  Tibetan: [
    ['བོད', 'བད'],
    ['མི', 'མ'],
  ],
  Arabic: [
    ['كَتَبَ', 'كُتِبَ'],
    ['أن', 'ان'],
    ['مدرّسة', 'مدرسة'],
  ],
  Urdu: [['اُس', 'اِس']],
  Persian: [
    ['نامه‌ای', 'نامهای'],
    ['کُرد', 'کَرد'],
  ],
  Hebrew: [
    ['סֵפֶר', 'סַפָּר'],
    ['שָׁם', 'שֵׁם'],
  ],
  Vietnamese: [
    ['ma', 'má'],
    ['mà', 'mả'],
    ['mã', 'mạ'],
    ['cô', 'cơ'],
  ],
  German: [
    ['mochte', 'möchte'],
    ['schon', 'schön'],
    ['fordern', 'fördern'],
    ['musste', 'müsste'],
  ],
  Polish: [
    ['sad', 'sąd'],
    ['kat', 'kąt'],
    ['kos', 'koś'],
    ['proce', 'procę'],
  ],
  French: [
    ['pêche', 'péché'],
    ['ou', 'où'],
    ['sur', 'sûr'],
  ],
  Spanish: [
    ['ano', 'año'],
    ['papa', 'papá'],
  ],
  Portuguese: [['avô', 'avó']],
  Czech: [['byt', 'být']],
  Hungarian: [
    ['kor', 'kór'],
    ['örült', 'őrült'],
  ],
  Romanian: [
    ['fata', 'fată'],
    ['pana', 'pâna'],
  ],
  Swedish: [['har', 'hår']],
  Turkish: [
    ['oldu', 'öldü'],
    ['kus', 'kuş'],
  ],
  Russian: [
    ['все', 'всё'],
    ['мои', 'мой'],
  ],
  Ukrainian: [['її', 'іі']],
  Greek: [
    ['πότε', 'ποτέ'],
    ['νόμος', 'νομός'],
  ],
  Yoruba: [
    ['ọkọ́', 'ọkọ̀'],
    ['ọ̀kọ̀', 'oko'],
  ],
  Sinhala: [['ශ්‍රී', 'ශ්රී']],
  Malayalam: [['വന്‍യവനിക', 'വന്യവനിക']],
  emoji: [
    ['👨‍👩‍👧', '👨👩👧'],
    ['❤️', '❤'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ],
};

/** Pairs that stay apart in every way. */
const ALWAYS_APART: Readonly<Record<string, readonly Pair[]>> = {
  Chinese: [
    ['买', '卖'],
    ['己', '已'],
    ['大学', '太学'],
  ],
  Korean: [
    ['달', '딸'],
    ['한글', '한굴'],
    ['눈이', '눈에'],
  ],
  Amharic: [['በላ', 'በለ']],
  Georgian: [['კარი', 'ქარი']],
  Armenian: [['տուն', 'տունը']],
  English: [['chef', 'chefs']],
};

const SCRIPTS = Object.entries({ ...MERGED_AS_PUBLISHED, ...ALWAYS_APART });

function train(text: string, settings: TokenizerOptions = {}, size = 1000): WordPieceTokenizer {
  const trainer = new VocabularyTrainer(settings);
  trainer.add(text);
  return WordPieceTokenizer.fromVocabulary(trainer.train({ size, minFrequency: 1 }), trainer.settings);
}
const textOf = (pairs: readonly Pair[]) => pairs.flat().join(' ');
const idsOf = (tokenizer: WordPieceTokenizer, text: string) => [...tokenizer.encodeIds(text)].join(' ');
const withoutSpaces = (text: string) => text.replace(/\s/gu, '');
/** What all pieces say together, as `decode` without its spaces. */
const piecesOf = (tokenizer: WordPieceTokenizer, text: string) =>
  withoutSpaces(tokenizer.decode(tokenizer.encodeIds(text), { skipSpecialTokens: false }));

describe('a new vocabulary with our defaults', () => {
  it.each(SCRIPTS)('keeps apart what %s tells apart', (_, pairs) => {
    const tokenizer = train(textOf(pairs));
    for (const [a, b] of pairs) expect(idsOf(tokenizer, a), `${a} and ${b}`).not.toBe(idsOf(tokenizer, b));
  });

  it.each(SCRIPTS)('gives every character back: %s', (_, pairs) => {
    for (const lowercase of [true, false]) {
      const text = textOf(pairs);
      const tokenizer = train(text, { lowercase });
      expect([...tokenizer.encodeIds(text)]).not.toContain(tokenizer.unkId);
      expect(piecesOf(tokenizer, text)).toBe(withoutSpaces(normalize(text, tokenizer.settings)));
      if (!lowercase) expect(piecesOf(tokenizer, text)).toBe(withoutSpaces(text.normalize('NFC')));
    }
  });

  it.each(SCRIPTS)('takes text that is stored decomposed for the same: %s', (_, pairs) => {
    const tokenizer = train(textOf(pairs));
    expect(idsOf(tokenizer, textOf(pairs).normalize('NFD'))).toBe(idsOf(tokenizer, textOf(pairs)));
  });

  it.each(SCRIPTS)('reads a line of a thousand words without a space: %s', (_, pairs) => {
    const line = pairs.flat().join('').repeat(1000);
    const tokenizer = train(line, {}, 2000);
    const ids = [...tokenizer.encodeIds(line)];
    expect(ids).not.toContain(tokenizer.unkId);
    // Pieces of several letters, but for ideographs.
    if (!/\p{Script=Han}/u.test(line)) expect(ids.length).toBeLessThan(line.length / 2 + 1000);
    expect(piecesOf(tokenizer, line)).toBe(withoutSpaces(normalize(line, tokenizer.settings)));
  });

  it('knows lower case and capitals for the same word, with its accents', () => {
    const tokenizer = train('möchte mochte ёлка ñandú');
    for (const word of ['möchte', 'ёлка', 'ñandú'])
      expect(idsOf(tokenizer, word.toUpperCase())).toBe(idsOf(tokenizer, word));
    expect(idsOf(tokenizer, 'MÖCHTE')).not.toBe(idsOf(tokenizer, 'mochte'));
  });

  it('ends words at a zero-width space, as Khmer and Thai write it', () => {
    const tokenizer = train('ភាសា ខ្មែរ');
    expect(idsOf(tokenizer, 'ភាសា\u200bខ្មែរ')).toBe(idsOf(tokenizer, 'ភាសា ខ្មែរ'));
  });

  it('gives no two texts the same pieces, whatever their letters', () => {
    const signs = [
      ...'aAäß éçИйёЁșığ',
      ...'한글漢字かがパハ',
      ...'कुिं้ำกน',
      ...'بَُّהֶּ',
      '\u200c',
      '\u200d',
      '\ufe0f',
      '👨',
      '❤',
    ];
    const text = fc.array(fc.constantFrom(...signs), { maxLength: 150 }).map((units) => units.join(''));
    // Letters of their own, so that every one has both forms.
    const tokenizer = train(signs.flatMap((sign) => [sign, `a${sign}`]).join(' '));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [first, second] = [a, b].map((t) => withoutSpaces(normalize(t, tokenizer.settings)));
        expect([...tokenizer.encodeIds(a)]).not.toContain(tokenizer.unkId);
        expect(piecesOf(tokenizer, a)).toBe(first);
        if (first !== second) expect(idsOf(tokenizer, a)).not.toBe(idsOf(tokenizer, b));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the normalisation of the published BERT, asked for', () => {
  it.each(Object.entries(MERGED_AS_PUBLISHED))('merges, when uncased, what %s tells apart', (_, pairs) => {
    const tokenizer = train(textOf(pairs), PUBLISHED_NORMALIZATION);
    for (const [a, b] of pairs) expect(idsOf(tokenizer, a), `${a} and ${b}`).toBe(idsOf(tokenizer, b));
  });

  it('makes a word of more than a hundred characters one [UNK]', () => {
    const tokenizer = train('ไม่มีวรรค', PUBLISHED_NORMALIZATION);
    expect([...tokenizer.encodeIds('ไ'.repeat(101))]).toEqual([tokenizer.unkId]);
  });
});
