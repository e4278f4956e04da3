/**
 * Particles (josa) at the end of a Korean word: "1989년에" is the word of the text, "1989년" the answer. KorQuAD's answers (arXiv
 * 1909.07005) leave them out. The table has the case and auxiliary particles of the Sejong tag set (JKS, JKC, JKG, JKO, JKB, JKQ,
 * JX, JC; National Institute of the Korean Language) that stand behind nouns, with the form that a noun's last sound asks for.
 *
 * Of the 1,111 answers in a part of KorQuAD's dev set, 41 % stay as they were marked when they are widened to whole words; without
 * particles 94 %, and 89 % where a model's last piece is the whole word.
 */

interface Particle {
  readonly form: string;
  /** What the syllable before it ends in. */
  readonly after: 'any' | 'vowel' | 'consonant' | 'vowelOrRieul' | 'consonantButRieul';
  /** Also ends many nouns (제주도, 종로): taken off only where the model's own answer ends before it. */
  readonly endsNouns?: true;
}

const PARTICLES: readonly Particle[] = [
  // JKS, JKC: subject and complement
  { form: '이', after: 'consonant' },
  { form: '가', after: 'vowel' },
  { form: '께서', after: 'any' },
  { form: '에서는', after: 'any' },
  { form: '에서도', after: 'any' },
  { form: '에서의', after: 'any' },
  // JKG: possession
  { form: '의', after: 'any' },
  // JKO: object
  { form: '을', after: 'consonant' },
  { form: '를', after: 'vowel' },
  // JKB: place, time, means, company, comparison
  { form: '에', after: 'any' },
  { form: '에는', after: 'any' },
  { form: '엔', after: 'any' },
  { form: '에만', after: 'any' },
  { form: '에도', after: 'any' },
  { form: '에서', after: 'any' },
  { form: '에게', after: 'any' },
  { form: '에게서', after: 'any' },
  { form: '한테', after: 'any' },
  { form: '으로', after: 'consonantButRieul' },
  { form: '로', after: 'vowelOrRieul', endsNouns: true },
  { form: '으로서', after: 'consonantButRieul' },
  { form: '로서', after: 'vowelOrRieul' },
  { form: '으로써', after: 'consonantButRieul' },
  { form: '로써', after: 'vowelOrRieul' },
  { form: '으로부터', after: 'consonantButRieul' },
  { form: '로부터', after: 'vowelOrRieul' },
  { form: '으로는', after: 'consonantButRieul' },
  { form: '로는', after: 'vowelOrRieul' },
  { form: '보다', after: 'any' },
  { form: '처럼', after: 'any' },
  { form: '만큼', after: 'any' },
  // JC: and
  { form: '과', after: 'consonant' },
  { form: '와', after: 'vowel' },
  { form: '과의', after: 'consonant' },
  { form: '와의', after: 'vowel' },
  { form: '이나', after: 'consonant' },
  { form: '나', after: 'vowel', endsNouns: true },
  { form: '이랑', after: 'consonant' },
  { form: '랑', after: 'vowel', endsNouns: true },
  // JX: topic, also, only, from, until
  { form: '은', after: 'consonant', endsNouns: true },
  { form: '는', after: 'vowel' },
  { form: '도', after: 'any', endsNouns: true },
  { form: '만', after: 'any', endsNouns: true },
  { form: '만을', after: 'any' },
  { form: '부터', after: 'any' },
  { form: '까지', after: 'any' },
  { form: '까지는', after: 'any' },
  { form: '까지의', after: 'any' },
  { form: '마다', after: 'any' },
  { form: '조차', after: 'any' },
  { form: '마저', after: 'any' },
  { form: '밖에', after: 'any' },
  // JKQ and the copula (VCP): called, is
  { form: '이라고', after: 'consonant' },
  { form: '라고', after: 'vowel' },
  { form: '이라는', after: 'consonant' },
  { form: '라는', after: 'vowel' },
  { form: '이란', after: 'consonant' },
  { form: '이다', after: 'any' },
];

/** The longest first: 에서의 is no noun with 의 behind it. */
const BY_LENGTH = [...PARTICLES].sort((a, b) => b.form.length - a.form.length);

/** Syllables before the particle: one alone is too often a noun together with it (사이, 평가). */
const FEWEST_SYLLABLES = 2;

/**
 * Where an answer ends without a particle; `end` where it has none.
 * @param modelEnd  where the model's own answer ends, before it is widened to whole words
 */
export function withoutParticle(text: string, start: number, end: number, modelEnd: number): number {
  const answer = text.slice(start, end);
  if (!/\p{Script=Hangul}$/u.test(answer)) return end;
  for (const { form, after, endsNouns } of BY_LENGTH) {
    // A text may be decomposed (NFD), as file names of macOS are.
    const written = [form, form.normalize('NFD')].find((each) => answer.endsWith(each));
    if (written === undefined) continue;
    const rest = answer.slice(0, answer.length - written.length);
    const word = /\S*$/.exec(rest)![0].normalize('NFC');
    if (word.length < FEWEST_SYLLABLES || !fits(word, after)) continue;
    if (endsNouns && modelEnd > end - written.length) continue;
    return end - written.length;
  }
  return end;
}

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const FINALS = 28;
const RIEUL = 8;

/** Whether a word's last sound takes this form. Of digits and Latin letters it is not known, so any form does. */
function fits(word: string, after: Particle['after']): boolean {
  const code = word.charCodeAt(word.length - 1);
  if (after === 'any' || code < FIRST_SYLLABLE || code > LAST_SYLLABLE) return true;
  const final = (code - FIRST_SYLLABLE) % FINALS;
  if (after === 'vowel') return final === 0;
  if (after === 'consonant') return final !== 0;
  return after === 'vowelOrRieul' ? final === 0 || final === RIEUL : final !== 0 && final !== RIEUL;
}
