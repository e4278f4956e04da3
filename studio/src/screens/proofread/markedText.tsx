/** The text with its doubtful words underlined. Every word can be pressed; the heat of a word is also its number and its line. */
import { Fragment } from 'preact';
import { useCallback, useRef, useState } from 'preact/hooks';
import type { DoubtedWord } from '../../../../src/studio/calls/doubtWords.js';
import { useWords } from '../../app/words.js';
import { shortProbability, TokenRow } from '../../components/tokens.js';
import { unbroken } from '../../components/unbroken.js';
import { Proposals } from './proposals.js';
import { PROOFREAD_WORDS } from './words.js';

interface MarkedTextProps {
  readonly model: string;
  readonly text: string;
  readonly words: readonly DoubtedWord[];
  readonly threshold: number;
  readonly language?: string;
  onOpen(): void;
  onChoose(word: DoubtedWord, proposal: string): void;
}

/** Width of the box of proposals, in pixels, as proofread.css has it. */
const BOX = 300;

export function MarkedText({ model, text, words, threshold, language, onOpen, onChoose }: MarkedTextProps) {
  const t = useWords(PROOFREAD_WORDS);
  const area = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<{ readonly index: number; readonly left: number; readonly top: number }>();
  const buttons = () => [...(area.current?.querySelectorAll<HTMLElement>('.proof-word') ?? [])];

  const show = (index: number) => {
    const [button, parent] = [buttons()[index], area.current];
    if (!button || !parent) return;
    const [at, origin] = [button.getBoundingClientRect(), parent.getBoundingClientRect()];
    const left = Math.max(0, Math.min(at.left - origin.left - 12, origin.width - BOX));
    setOpen({ index, left, top: at.bottom - origin.top + 8 });
    onOpen();
  };

  const close = useCallback(() => {
    setOpen((before) => {
      if (before) buttons()[before.index]?.focus();
      return undefined;
    });
  }, []);

  /** Up and down go to the next underlined word. */
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || open) return;
    event.preventDefault();
    const all = buttons();
    const from = all.indexOf(document.activeElement as HTMLElement);
    for (let i = from + step; i >= 0 && i < words.length; i += step) {
      if (words[i].doubt < threshold) continue;
      all[i].focus();
      return;
    }
  };

  const button = (word: DoubtedWord, i: number) => {
    const { start, end, doubt } = word;
    const isMarked = doubt >= threshold;
    return (
      <button
        key={start}
        type="button"
        class="proof-word"
        data-marked={isMarked ? '' : undefined}
        data-doubt={shortProbability(doubt)}
        style={{ '--heat-share': doubt }}
        aria-label={isMarked ? t.word(text.slice(start, end), shortProbability(doubt)) : undefined}
        aria-haspopup="dialog"
        aria-expanded={open?.index === i}
        onClick={() => show(i)}
      >
        {text.slice(start, end)}
      </button>
    );
  };

  const opened = open && words[open.index];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the toolbar inside
    <div ref={area} class="proof-area" data-tour="text" onKeyDown={onKeyDown}>
      <TokenRow label={t.text} class="proof-text" lang={language}>
        {unbroken(words).map(({ from, to }) => (
          <Fragment key={from}>
            {text.slice(from === 0 ? 0 : words[from - 1].end, words[from].start)}
            <span class="proof-unbroken">{words.slice(from, to).map((word, i) => button(word, from + i))}</span>
          </Fragment>
        ))}
        {text.slice(words.at(-1)?.end ?? 0)}
      </TokenRow>
      {open && opened && (
        <Proposals
          key={open.index}
          model={model}
          text={text}
          word={opened}
          left={open.left}
          top={open.top}
          onClose={close}
          onChoose={(proposal) => {
            close();
            onChoose(opened, proposal);
          }}
        />
      )}
    </div>
  );
}
