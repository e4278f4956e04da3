/** The text with the answers marked in it, and the two lines of start and end over its words. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AskOutput } from '../../../../src/studio/calls/explainAnswer.js';
import { useWords } from '../../app/words.js';
import { areaPath, visibleRuns } from '../../figures/areas.js';
import { ASK_WORDS } from './words.js';

interface MarkedTextProps {
  readonly text: string;
  readonly found?: AskOutput;
  /** Whether the first answer counts; where it does not, its place is only hinted at. */
  readonly isAnswered: boolean;
  readonly language?: string;
}

/** A part of the text, and the rank of the answer that it belongs to; 0 of none. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly rank: number;
}

/** Probabilities that are drawn: below, a line would only run along the ground. */
const LEAST = 0.01;

/** Height of the lines over a line of text, in pixels. */
const HEIGHT = 15;

export function MarkedText({ text, found, isAnswered, language }: MarkedTextProps) {
  const t = useWords(ASK_WORDS);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [paths, setPaths] = useState({ start: '', end: '' });

  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    setPaths(box.current && found ? curves(box.current, found) : { start: '', end: '' });
  }, [found, text, width, isAnswered]);

  return (
    <div ref={box} class="ask-text" lang={language}>
      <svg class="ask-curves" aria-hidden="true">
        <path class="ask-area ask-area-start" d={paths.start} />
        <path class="ask-area ask-area-end" d={paths.end} />
      </svg>
      {paragraphs(text).map((paragraph) => (
        <p key={paragraph.from} data-from={paragraph.from}>
          {parts(paragraph, found?.answers ?? []).map(({ from, to, rank }) =>
            rank === 0 ? (
              text.slice(from, to)
            ) : (
              <mark
                key={from}
                data-rank={rank}
                data-off={rank === 1 && !isAnswered ? '' : undefined}
                title={t.answerLabel(rank)}
              >
                {text.slice(from, to)}
              </mark>
            ),
          )}
        </p>
      ))}
    </div>
  );
}

function paragraphs(text: string): { from: number; to: number }[] {
  return Array.from(text.matchAll(/[^\n]+/g), ({ 0: line, index }) => ({ from: index, to: index + line.length }));
}

/** A paragraph cut at the answers; where two overlap, the better one has the words. */
function parts({ from, to }: { from: number; to: number }, answers: AskOutput['answers']): Part[] {
  const found: Part[] = [];
  for (const [i, { start, end }] of answers.entries()) {
    const inside = { from: Math.max(from, start), to: Math.min(to, end), rank: i + 1 };
    if (inside.from < inside.to && !found.some((other) => inside.from < other.to && other.from < inside.to)) {
      found.push(inside);
    }
  }
  const all: Part[] = [];
  let at = from;
  for (const part of found.sort((a, b) => a.from - b.from)) {
    if (part.from > at) all.push({ from: at, to: part.from, rank: 0 });
    all.push(part);
    at = part.to;
  }
  if (at < to) all.push({ from: at, to, rank: 0 });
  return all;
}

/** The two lines over every line of text, from where the browser has put the pieces. */
function curves(box: HTMLElement, { offsets, starts, ends }: AskOutput): { start: string; end: string } {
  const origin = box.getBoundingClientRect();
  const place = pieceRectangles(box);
  const lines: { top: number; pieces: { piece: number; x: number }[] }[] = [];
  for (let piece = 0; piece < starts.length; piece++) {
    const rectangle = place(offsets[2 * piece], offsets[2 * piece + 1]);
    if (!rectangle) continue;
    const top = rectangle.top - origin.top;
    const x = (rectangle.left + rectangle.right) / 2 - origin.left;
    const line = lines.at(-1);
    // Pieces of one line differ by a pixel or two where a mark has another font size.
    if (line && Math.abs(line.top - top) < 8) line.pieces.push({ piece, x });
    else lines.push({ top, pieces: [{ piece, x }] });
  }
  const most = Math.max(0.25, ...starts, ...ends);
  const drawn = lines.map(({ top, pieces }) => {
    const size = { ground: top - 1, height: HEIGHT, most };
    const path = (values: readonly number[]) =>
      visibleRuns(
        pieces.map(({ piece, x }) => ({ x, value: values[piece] })),
        LEAST,
      )
        .map((run) => areaPath(run, size))
        .join('');
    return { start: path(starts), end: path(ends) };
  });
  return { start: drawn.map(({ start }) => start).join(''), end: drawn.map(({ end }) => end).join('') };
}

/** Finds where characters of the text stand on the page. */
function pieceRectangles(box: HTMLElement): (start: number, end: number) => DOMRect | undefined {
  const nodes: { from: number; node: Text }[] = [];
  for (const paragraph of box.querySelectorAll<HTMLElement>('p[data-from]')) {
    let from = Number(paragraph.dataset.from);
    const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode as Text;
      nodes.push({ from, node });
      from += node.data.length;
    }
  }
  const range = document.createRange();
  let at = 0;
  return (start, end) => {
    // Pieces come in the order of the text.
    while (at + 1 < nodes.length && nodes[at + 1].from <= start) at++;
    const { from, node } = nodes[at] ?? {};
    if (from === undefined || !node || start < from || start - from >= node.data.length) return undefined;
    range.setStart(node, start - from);
    range.setEnd(node, Math.min(end - from, node.data.length));
    return range.getClientRects()[0];
  };
}
