import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { withoutParticle } from './koreanParticles.js';

/** The answer of a text that the model says ends at `modelEnd`, by default where the text does. */
const without = (text: string, modelEnd = text.length) =>
  text.slice(0, withoutParticle(text, 0, text.length, modelEnd));

describe('withoutParticle', () => {
  it.each([
    ['1989년에', '1989년'],
    ['서울에서는', '서울'],
    ['미국으로부터', '미국'],
    ['학교로', '학교로'], // 로 ends nouns, too: see below
    ['프랑스와', '프랑스'],
    ['세종대왕이', '세종대왕'],
    ['음악은', '음악은'],
    ['파우스트를', '파우스트'],
    ['『파우스트』를', '『파우스트』'],
    ['NASA는', 'NASA'],
    ['제주도', '제주도'],
    ['평가', '평가'],
    ['사이', '사이'],
    ['강의실', '강의실'],
    ['the chef', 'the chef'],
    ['', ''],
  ])('%s → %s', (text, answer) => {
    expect(without(text)).toBe(answer);
  });

  it('takes off what ends nouns as well only where the answer of the model ends before it', () => {
    expect(without('학교로', 2)).toBe('학교');
    expect(without('음악은', 2)).toBe('음악');
    expect(without('제주도', 2)).toBe('제주');
  });

  it('looks at the sound before: 을, 이, 과, 으로 follow a consonant, 를, 가, 와, 로 a vowel', () => {
    expect(without('바나나을')).toBe('바나나을');
    expect(without('수박를')).toBe('수박를');
    expect(without('수박을')).toBe('수박');
    expect(without('지하철로서')).toBe('지하철');
    expect(without('지하철으로')).toBe('지하철으로');
  });

  it('reads decomposed Hangul, and gives offsets in it', () => {
    const text = '프랑스에서'.normalize('NFD');
    expect(without(text).normalize('NFC')).toBe('프랑스');
  });

  const KORQUAD = fileURLToPath(new URL('../../../../shared/data/korquad/korquad1-dev-part.json', import.meta.url));
  if (!existsSync(KORQUAD)) console.warn('KorQuAD is skipped: ../shared/data is not beside this repository');
  it.skipIf(!existsSync(KORQUAD))('brings answers of KorQuAD back that were widened to whole words', () => {
    const { data } = JSON.parse(readFileSync(KORQUAD, 'utf8')) as KorQuad;
    const answers = data.flatMap(({ paragraphs }) =>
      paragraphs.flatMap(({ context, qas }) =>
        qas.map(({ answers: [{ text, answer_start: start }] }) => ({ context, start, end: start + text.length })),
      ),
    );
    const wordEnd = (context: string, end: number) => end + /^[\p{L}\p{N}]*/u.exec(context.slice(end))![0].length;
    const share = (isSame: (answer: (typeof answers)[number]) => boolean) =>
      answers.filter(isSame).length / answers.length;
    expect(share(({ context, end }) => wordEnd(context, end) === end)).toBeLessThan(0.42);
    const cut = (knows: boolean) =>
      share(({ context, start, end }) => {
        const whole = wordEnd(context, end);
        return withoutParticle(context, start, whole, knows ? end : whole) === end;
      });
    expect(cut(true)).toBeGreaterThan(0.93);
    expect(cut(false)).toBeGreaterThan(0.88);
  });
});

interface KorQuad {
  readonly data: readonly {
    readonly paragraphs: readonly {
      readonly context: string;
      readonly qas: readonly {
        readonly answers: readonly { readonly text: string; readonly answer_start: number }[];
      }[];
    }[];
  }[];
}
