/** Screen "The book": one idea at a time, in Korean with English beside it. */
import { useEffect, useRef } from 'preact/hooks';
import { addressOf } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { Rich } from '../../components/rich.js';
import type { ScreenProps } from '../screen.js';
import type { Chapter } from './chapter.js';
import { CHAPTERS, PARTS } from './chapters.js';
import { BOOK_WORDS } from './words.js';
import './book.css';

export function Screen({ state, change, did }: ScreenProps) {
  const index = Math.max(
    0,
    CHAPTERS.findIndex(({ id }) => id === state.chapter),
  );
  const chapter = CHAPTERS[index];
  return (
    <div class="book">
      <Contents current={chapter} lang={state.lang} />
      <article class="book-chapter">
        <Head chapter={chapter} number={index + 1} />
        <div class="book-figure card">
          <chapter.Figure key={chapter.id} state={state} change={change} did={did} />
        </div>
        <Line chapter={chapter} />
        <Turn before={CHAPTERS.at(index - 1)} next={CHAPTERS.at(index + 1)} index={index} lang={state.lang} />
      </article>
    </div>
  );
}

/** A chapter begins with a fresh figure: nothing of the address stays but the language. */
function linkTo(chapter: Chapter, lang: string | undefined): string {
  return addressOf({ screen: 'book', state: { chapter: chapter.id, ...(lang !== undefined && { lang }) } });
}

function Contents({ current, lang }: { readonly current: Chapter; readonly lang: string | undefined }) {
  const t = useWords(BOOK_WORDS);
  const list = useRef<HTMLElement>(null);
  // On a narrow screen the contents scroll sideways: the open chapter is brought into view.
  useEffect(() => {
    const link = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (link && list.current) list.current.scrollLeft = link.offsetLeft - list.current.offsetLeft - 40;
  }, [current.id]);
  let number = 0;
  return (
    <nav ref={list} class="book-contents" aria-label={t.contents}>
      {PARTS.map(({ id, chapters }) => (
        <div key={id}>
          <h2>{t[id]}</h2>
          <ol>
            {chapters.map((chapter) => {
              number++;
              return (
                <li key={chapter.id}>
                  <a href={linkTo(chapter, lang)} aria-current={chapter === current ? 'page' : undefined}>
                    <small>{number}</small>
                    <Title chapter={chapter} />
                  </a>
                </li>
              );
            })}
          </ol>
        </div>
      ))}
    </nav>
  );
}

function Title({ chapter }: { readonly chapter: Chapter }) {
  const { text } = useWords(chapter.title);
  return <span>{text}</span>;
}

function Head({ chapter, number }: { readonly chapter: Chapter; readonly number: number }) {
  const { title, text, formula, spoken, source } = chapter;
  const { text: said } = useWords(spoken);
  return (
    <header class="book-head">
      <p class="book-number">
        {number} <span>{source}</span>
      </p>
      <div class="book-both">
        <div lang="ko">
          <h1>{title.ko.text}</h1>
          <p>
            <Rich text={text.ko.text} />
          </p>
        </div>
        <div lang="en">
          <h2>{title.en.text}</h2>
          <p>
            <Rich text={text.en.text} />
          </p>
        </div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div class="book-formula" tabIndex={0}>
        <math displaystyle aria-label={said}>
          <mrow>{formula}</mrow>
        </math>
      </div>
    </header>
  );
}

function Line({ chapter }: { readonly chapter: Chapter }) {
  const t = useWords(BOOK_WORDS);
  return (
    <figure class="book-line">
      <figcaption>
        {t.runs} <code>{chapter.file}</code>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{chapter.line}</code>
      </pre>
    </figure>
  );
}

interface TurnProps {
  readonly index: number;
  readonly before: Chapter | undefined;
  readonly next: Chapter | undefined;
  readonly lang: string | undefined;
}

function Turn({ before, next, index, lang }: TurnProps) {
  const t = useWords(BOOK_WORDS);
  return (
    <nav class="book-turn" aria-label={`${t.before}, ${t.next}`}>
      {index > 0 && before && (
        <a class="secondary" href={linkTo(before, lang)} rel="prev">
          ← <Title chapter={before} />
        </a>
      )}
      {next && (
        <a class="primary" href={linkTo(next, lang)} rel="next" data-tour="next">
          <Title chapter={next} /> →
        </a>
      )}
    </nav>
  );
}
