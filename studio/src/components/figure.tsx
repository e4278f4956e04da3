/** The frame of a figure: its title, and what can be taken from it as picture, as numbers and as code. */
import { type ComponentChildren, type JSX, render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { SHELL_WORDS } from '../app/shellWords.js';
import { useWords } from '../app/words.js';
import { pngOf, saveBlob, saveText, svgText } from './saveFigure.js';
import './figure.css';

export interface FigureProps {
  readonly title: string;
  /** Begins the names of saved files: letters, digits and `-`. */
  readonly name: string;
  /** One sentence under the title. */
  readonly note?: ComponentChildren;
  /** The figure's numbers. */
  readonly data: unknown;
  /** The lines of TypeScript that make them. */
  readonly code: string;
  /** Draws the figure for saving, where what is on the page is not one SVG. */
  readonly drawing?: () => JSX.Element;
  readonly tour?: string;
  readonly children: ComponentChildren;
}

/** Between two looks at a figure that is still computed. */
const WAIT_MS = 100;

export function Figure({ title, name, note, data, code, drawing, tour, children }: FigureProps) {
  const t = useWords(SHELL_WORDS);
  const body = useRef<HTMLDivElement>(null);
  const menu = useRef<HTMLDetailsElement>(null);
  const [showsCode, showCode] = useState(false);
  useEffect(() => closeOutside(menu.current), []);

  // As it is drawn when it is asked for, which may be later than the click: a figure that is still computed is saved when it is there.
  const drawn = useRef(drawing);
  drawn.current = drawing;
  const svgNow = (): [SVGSVGElement | null | undefined, (() => void)?] =>
    drawn.current ? drawnAside(body.current, drawn.current()) : [body.current?.querySelector('svg')];

  const withSvg = async (use: (svg: SVGSVGElement) => void | Promise<void>) => {
    let [svg, remove] = svgNow();
    while (!svg && body.current?.isConnected) {
      remove?.();
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      [svg, remove] = svgNow();
    }
    try {
      if (svg) await use(svg);
    } finally {
      remove?.();
    }
  };
  const actions = [
    [t.svg, () => withSvg((svg) => saveText(`${name}.svg`, 'image/svg+xml', svgText(svg)))],
    [t.png, () => withSvg(async (svg) => saveBlob(`${name}.png`, await pngOf(svg)))],
    [t.json, () => saveText(`${name}.json`, 'application/json', `${JSON.stringify(data, null, 2)}\n`)],
    [t.code, () => showCode(true)],
  ] as const;

  return (
    <section class="figure" data-tour={tour}>
      <header class="figure-head">
        <h2>{title}</h2>
        <details ref={menu} class="figure-menu">
          <summary class="quiet" aria-label={t.exportsLabel(title)}>
            {t.exports}
          </summary>
          <ul>
            {actions.map(([label, act]) => (
              <li key={label}>
                <button
                  type="button"
                  onClick={() => {
                    menu.current?.removeAttribute('open');
                    void act();
                  }}
                >
                  {label}
                </button>
              </li>
            ))}
          </ul>
        </details>
      </header>
      {note && <p class="figure-note">{note}</p>}
      <div ref={body} class="figure-body">
        {children}
      </div>
      {showsCode && <Code text={code} close={() => showCode(false)} />}
    </section>
  );
}

/** Draws outside of what is seen, but inside the figure, so that its styles apply. */
function drawnAside(parent: HTMLElement | null, drawing: JSX.Element): [SVGSVGElement | null, () => void] {
  const aside = document.createElement('div');
  aside.className = 'figure-aside';
  parent?.append(aside);
  render(drawing, aside);
  return [
    aside.querySelector('svg'),
    () => {
      render(null, aside);
      aside.remove();
    },
  ];
}

/** A menu that is open closes when the reader goes elsewhere. @returns what undoes it */
function closeOutside(menu: HTMLDetailsElement | null): () => void {
  const close = (event: Event) => {
    const isEscape = event instanceof KeyboardEvent && event.key === 'Escape';
    if (isEscape || !menu?.contains(event.target as Node)) menu?.removeAttribute('open');
  };
  const kinds = ['pointerdown', 'focusin', 'keydown'] as const;
  const listen = (event: Event) => {
    if (menu?.open && (event.type !== 'keydown' || (event as KeyboardEvent).key === 'Escape')) close(event);
  };
  for (const kind of kinds) document.addEventListener(kind, listen);
  return () => {
    for (const kind of kinds) document.removeEventListener(kind, listen);
  };
}

function Code({ text, close }: { readonly text: string; close(): void }) {
  const t = useWords(SHELL_WORDS);
  const [copied, setCopied] = useState(false);
  return (
    <div class="figure-code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <button
        type="button"
        class="quiet"
        onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
      >
        {copied ? t.copied : t.copy}
      </button>
      <button type="button" class="quiet" onClick={close}>
        {t.close}
      </button>
    </div>
  );
}
