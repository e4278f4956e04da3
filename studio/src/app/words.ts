/**
 * Every visible string in English and Korean. Neither language may lack a key: the type of the Korean words is that of the
 * English ones.
 *
 *     const WORDS = words({ en: { play: 'Play', left: (n: number) => `${n} left` }, ko: { play: '시작', left: (n) => `${n}개 남음` } });
 *     const t = useWords(WORDS);      // t.play, t.left(3)
 */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { storedValue, storeValue } from './stored.js';

export const LANGUAGES = ['en', 'ko'] as const;
export type Language = (typeof LANGUAGES)[number];

type Word = string | readonly string[] | ((...values: never[]) => string);

type Same<T> = {
  readonly [K in keyof T]: T[K] extends (...values: infer Values) => string
    ? (...values: Values) => string
    : T[K] extends readonly string[]
      ? readonly string[]
      : string;
};

export interface Words<T> {
  readonly en: T;
  readonly ko: Same<T>;
}

export function words<T extends Readonly<Record<string, Word>>>(both: Words<T>): Words<T> {
  return both;
}

export const LanguageContext = createContext<Language>('en');

export function useLanguage(): Language {
  return useContext(LanguageContext);
}

export function useWords<T>(both: Words<T>): Same<T> {
  return both[useLanguage()] as Same<T>;
}

/** What the reader chose before, else what his browser prefers. */
export function preferredLanguage(): Language {
  const stored = storedValue('language');
  return languageOf(stored) ?? (navigator.language.startsWith('ko') ? 'ko' : 'en');
}

export function languageOf(name: string | undefined): Language | undefined {
  return LANGUAGES.find((language) => language === name);
}

export function rememberLanguage(language: Language): void {
  storeValue('language', language);
}
