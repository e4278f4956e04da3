/** The sentence that spans are dragged over. Hidden words keep their place; the words beside them glow. */
import { Fragment } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../../app/words.js';
import { unbroken } from '../../components/unbroken.js';
import type { SentenceWord, WordSpan } from './spanState.js';
import { SPANBERT_WORDS } from './words.js';

export interface SentenceProps {
  readonly words: readonly SentenceWord[];
  readonly span: WordSpan;
  /** The hidden word that is looked at. */
  readonly current: number;
  /** Place in the span of each hidden word: of its first piece, from 1. */
  readonly placeOf: (word: number) => number;
  onSpan(span: WordSpan): void;
  /** A hidden word was pressed. */
  onLook(word: number): void;
}

/** Words from where marking began to where it is now, inclusive. */
interface Marked {
  readonly from: number;
  readonly to: number;
}

export function Sentence({ words, span, current, placeOf, onSpan, onLook }: SentenceProps) {
  const t = useWords(SPANBERT_WORDS);
  const row = useRef<HTMLDivElement>(null);
  // What a drag, or Shift with an arrow, would hide; undefined while nothing is being marked.
  const [marked, showMarked] = useState<Marked>();
  // Keys and pointers come faster than the page is drawn.
  const latest = useRef<Marked | undefined>(undefined);
  const mark = (range: Marked | undefined) => {
    latest.current = range;
    showMarked(range);
  };
  const [focused, setFocused] = useState(span.first);
  const shown = marked ? inOrder(marked) : span;

  useEffect(() => setFocused((word) => Math.min(word, words.length - 1)), [words.length]);

  const finish = (range: Marked) => {
    mark(undefined);
    const { first, last } = inOrder(range);
    const isHidden = first === last && first >= span.first && first <= span.last;
    if (isHidden) onLook(first);
    else onSpan({ first, last });
  };

  const focusWord = (word: number) => {
    setFocused(word);
    row.current?.querySelectorAll<HTMLButtonElement>('button')[word]?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const current = Number((event.target as HTMLElement).dataset.word ?? focused);
    const targets: Record<string, number> = {
      ArrowRight: current + 1,
      ArrowLeft: current - 1,
      Home: 0,
      End: words.length - 1,
    };
    const target = targets[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') mark(undefined);
    if (target === undefined) return;
    event.preventDefault();
    const word = Math.max(0, Math.min(target, words.length - 1));
    if (event.shiftKey) mark({ from: latest.current?.from ?? current, to: word });
    focusWord(word);
  };

  const onKeyUp = (event: KeyboardEvent) => {
    if (event.key === 'Shift' && latest.current) finish(latest.current);
  };

  /** The word under the pointer, also while the pointer is held elsewhere. */
  const wordAt = (event: PointerEvent): number | undefined => {
    const word = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-word]');
    return word && row.current?.contains(word) ? Number(word.dataset.word) : undefined;
  };

  const button = (word: SentenceWord, i: number) => {
    const isHidden = i >= shown.first && i <= shown.last;
    const isEdge = i === shown.first - 1 || i === shown.last + 1;
    return (
      <button
        key={word.start}
        type="button"
        class="span-word"
        data-word={i}
        data-tone={isHidden ? 'hidden' : isEdge ? 'edge' : undefined}
        data-current={!marked && isHidden && i === current ? '' : undefined}
        aria-pressed={isHidden}
        tabIndex={i === focused ? 0 : -1}
        onFocus={() => setFocused(i)}
        // A pointer's click has done its work when the pointer went up; a key's has no pointer.
        onClick={(event) => event.detail === 0 && finish({ from: i, to: i })}
      >
        {word.text}
        {isHidden && !marked && (
          <small>
            p<sub>{placeOf(i)}</sub>
          </small>
        )}
        {(isHidden || isEdge) && <span class="visually-hidden">{isHidden ? t.hidden : t.edge}</span>}
      </button>
    );
  };

  return (
    <div
      ref={row}
      role="toolbar"
      aria-label={t.sentence}
      class="span-sentence"
      data-tour="sentence"
      data-marking={marked ? '' : undefined}
      onKeyDown={onKeyDown}
      onKeyUp={onKeyUp}
      onPointerDown={(event) => {
        const word = wordAt(event);
        if (word === undefined || event.button !== 0) return;
        row.current?.setPointerCapture(event.pointerId);
        mark({ from: word, to: word });
        setFocused(word);
      }}
      onPointerMove={(event) => {
        const range = latest.current;
        const word = range && wordAt(event);
        if (range && word !== undefined && word !== range.to) mark({ from: range.from, to: word });
      }}
      onPointerUp={() => latest.current && finish(latest.current)}
      onPointerCancel={() => mark(undefined)}
    >
      {unbroken(words).map(({ from, to }) => (
        <Fragment key={from}>
          {from > 0 && ' '}
          <span class="span-unbroken">{words.slice(from, to).map((word, i) => button(word, from + i))}</span>
        </Fragment>
      ))}
    </div>
  );
}

function inOrder({ from, to }: Marked): WordSpan {
  return { first: Math.min(from, to), last: Math.max(from, to) };
}
