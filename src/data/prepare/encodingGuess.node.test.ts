import { describe, expect, it } from 'vitest';
import { guessEncoding, guessUnreadable } from './encodingGuess.node.js';
import { decode } from './encodings.node.js';

/** Texts as Python's codecs encode them: `text.encode(name).hex()`. */
const SAMPLES: readonly [encoding: string, hex: string, text: string][] = [
  [
    'euc-kr',
    'bfe4b8aebbe7b4c220b0adb0a1c0c720b3b0c0ba20c1fdbfa1bcad20bdc4bbe7b8a620c7dfb4d92e208c63b9e6b0a2c7cf2e0a',
    '요리사는 강가의 낡은 집에서 식사를 했다. 똠방각하.\n',
  ],
  [
    'shift_jis',
    '97bf979d906c82cd90ec82cc82bb82ce82cc8cc382a289c682c590488e9682f082b582dc82b582bd8142834a835e834a836982e081420a',
    '料理人は川のそばの古い家で食事をしました。カタカナも。\n',
  ],
  [
    'euc-jp',
    'cec1cdfdbfcda4cfc0eea4cea4bda4d0a4ceb8c5a4a4b2c8a4c7bfa9bbf6a4f2a4b7a4dea4b7a4bfa1a3a5aba5bfa5aba5caa4e2a1a30a',
    '料理人は川のそばの古い家で食事をしました。カタカナも。\n',
  ],
  [
    'gb18030',
    'b3f8caa6d4dabad3b1dfb5c4c0cfb7bfd7d3c0efb3d4b7b9a1a3ced2c3c7d7f8d0c2b4acbbd8bcd2a1a30a',
    '厨师在河边的老房子里吃饭。我们坐新船回家。\n',
  ],
  [
    'big5',
    'bc70ae76a662aa65c3e4aabaa6d1a9d0a46cb8cca659b6baa143a7daadcca7a4b773b2eea65eae61a1430a',
    '廚師在河邊的老房子裡吃飯。我們坐新船回家。\n',
  ],
  [
    'windows-1252',
    '4c6520636166e920e9746169742064e96ae0206665726de93b20936ff920ea7465732d766f757320616c6ce973942c206469742d656c6c6520e0206c9268f474656c2e0a',
    'Le café était déjà fermé; “où êtes-vous allés”, dit-elle à l’hôtel.\n',
  ],
  [
    'windows-1251',
    'cfeee2e0f020f1fae5eb20eee1e5e420e220f1f2e0f0eeec20e4eeece520f320f0e5eae82e20ccfb20efeee5f5e0ebe820e4eeeceee92e0a',
    'Повар съел обед в старом доме у реки. Мы поехали домой.\n',
  ],
  [
    'koi8-r',
    'f0cfd7c1d220d3dfc5cc20cfc2c5c420d720d3d4c1d2cfcd20c4cfcdc520d520d2c5cbc92e20edd920d0cfc5c8c1ccc920c4cfcdcfca2e0a',
    'Повар съел обед в старом доме у реки. Мы поехали домой.\n',
  ],
  [
    'utf-16le',
    '94c6acb9acc094b2200015ac00ac58c72000a1b040c72000d1c9d0c51cc12000ddc2acc07cb9200088d5e4b22e00200020b629bc01ac58d52e000a00',
    '요리사는 강가의 낡은 집에서 식사를 했다. 똠방각하.\n',
  ],
  [
    'utf-16be',
    '00740068006500200063006f006f006b000a00610074006500200074006800650020006d00650061006c000a',
    'the cook\nate the meal\n',
  ],
];

describe('a file that is not UTF-8', () => {
  it.each(SAMPLES)('in %s is told by its bytes', async (encoding, hex, text) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(await guessEncoding(bytes)).toBe(encoding);
    expect(decode(encoding, bytes)).toBe(text);
    expect((await guessUnreadable("a b'.txt", bytes, { begins: true }))?.advice).toMatch(
      new RegExp(
        `^Give --encoding ${encoding}, or convert it: iconv -f \\S+ -t UTF-8 'a b'\\\\''\\.txt' > 'a b'\\\\''\\.utf8\\.txt'$`,
      ),
    );
  });

  it('but is UTF-8 with a little damage, is no other encoding', async () => {
    const bytes = Buffer.concat([
      Buffer.from('요리사는 강가의 낡은 집에서 식사를 했다. '),
      Buffer.of(0xff, 0xfe),
      Buffer.from('그리고 잤다.'),
    ]);
    expect(await guessEncoding(bytes)).toBeUndefined();
  });

  it.each([
    ['1f8b0800', 'a gzip file'],
    ['504b030414', 'a zip archive'],
    ['25504446', undefined],
    ['255044462d312e', 'a PDF'],
    ['28b52ffd04', 'a Zstandard file'],
  ])('begins with %s: %s', async (hex, what) => {
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(64)]);
    const guess = await guessUnreadable('a.txt', bytes, { begins: true });
    if (what === undefined) expect(guess).toBeUndefined();
    else expect(guess!.what).toContain(what);
  });

  it('that is packed is unpacked before it is converted', async () => {
    const bytes = Buffer.from(SAMPLES[0][1], 'hex');
    const guess = await guessUnreadable('x/a.jsonl.gz', bytes, { begins: true, takesEncoding: false });
    expect(guess!.advice).toBe('Convert it: gunzip -c x/a.jsonl.gz | iconv -f CP949 -t UTF-8 > x/a.utf8.jsonl');
  });
});
