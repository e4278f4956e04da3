/** The state of the screen as it stands in the address, with what is taken where it says nothing. */
import type { ScreenState, StateChanges } from '../../app/address.js';
import type { Language } from '../../app/words.js';

export interface TypedWord {
  readonly index: number;
  readonly text: string;
}

export interface ElectraState {
  readonly text: string;
  /** Numbers of the masked tokens. */
  readonly masked: readonly number[];
  readonly typed: readonly TypedWord[];
  readonly temperature: number;
  /** The most probable piece, or the draw of this seed. */
  readonly draw: 'best' | number;
  /** Id of the pair; undefined takes one of the language. */
  readonly model?: string;
  /** The masked token whose distribution is shown. */
  readonly look?: number;
  readonly lambda: number;
  readonly threshold: number;
  /** Two sentences with the same gap. */
  readonly first: string;
  readonly second: string;
}

// Draws of which one is the original again and one is not: both rules are seen at once.
const DEFAULTS: Readonly<Record<Language, Pick<ElectraState, 'text' | 'masked' | 'draw' | 'first' | 'second'>>> = {
  en: {
    text: 'The old man opened the door and looked into the room.',
    masked: [2, 5],
    draw: 7,
    first: 'She opened the [MASK] and went into the house.',
    second: 'She opened the [MASK] and began to read.',
  },
  ko: {
    text: '이 영화를 다시 보고 싶다.',
    masked: [1, 3],
    draw: 1,
    first: '이 [MASK] 다시 보고 싶다.',
    second: '이 [MASK] 정부가 발표했다.',
  },
};

const LONGEST = 2000;

export function parseState(state: ScreenState, language: Language): ElectraState {
  const defaults = DEFAULTS[language];
  const text = state.text?.slice(0, LONGEST) ?? defaults.text;
  return {
    text,
    masked: state.masked === undefined ? defaults.masked : numbers(state.masked),
    typed: parseTyped(state.typed),
    temperature: inRange(state.t, 0.1, 3) ?? 1,
    draw: state.draw === 'best' ? 'best' : (wholeNumber(state.draw) ?? (state.text === undefined ? defaults.draw : 1)),
    model: state.model,
    look: wholeNumber(state.look),
    lambda: inRange(state.lambda, 0, 100) ?? 50,
    threshold: inRange(state.threshold, 0, 1) ?? 0.5,
    first: state.first?.slice(0, LONGEST) ?? defaults.first,
    second: state.second?.slice(0, LONGEST) ?? defaults.second,
  };
}

/** A token is masked, or shown again. */
export function toggledMask({ masked }: ElectraState, index: number): StateChanges {
  const next = masked.includes(index) ? masked.filter((each) => each !== index) : [...masked, index];
  const isHidden = next.includes(index);
  return { masked: next.sort((a, b) => a - b).join(' '), ...(isHidden && { look: `${index}` }) };
}

/** A word in place of a token; an empty one takes it back. */
export function withTyped({ typed }: ElectraState, index: number, text: string): StateChanges {
  const others = typed.filter((word) => word.index !== index);
  const word = text.replaceAll('|', '').trim();
  const next = word ? [...others, { index, text: word }] : others;
  return { typed: next.length > 0 ? next.map((each) => `${each.index}:${each.text}`).join('|') : undefined };
}

/** Another text has other tokens: nothing typed stays, and what is masked goes by number. */
export function withText(text: string): StateChanges {
  return { text, typed: undefined, look: undefined };
}

function parseTyped(text = ''): TypedWord[] {
  return text.split('|').flatMap((part) => {
    const [, index, word] = /^(\d{1,3}):(.{1,60})$/su.exec(part) ?? [];
    return index === undefined ? [] : [{ index: Number(index), text: word }];
  });
}

function numbers(text: string): number[] {
  const found = text.split(' ').flatMap((part) => wholeNumber(part) ?? []);
  return [...new Set(found)].filter((each) => each < 128).sort((a, b) => a - b);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function inRange(text: string | undefined, low: number, high: number): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : undefined;
}
