/** Tokens that can be pressed. Doubt is colour, number and the weight of the underline at once. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import './tokens.css';

/** mask: hidden; drawn: a generator wrote it; same: drawn, and the original again; edge: beside a span. */
export type TokenTone = 'plain' | 'mask' | 'drawn' | 'same' | 'edge';

export interface TokenProps {
  readonly text: string;
  readonly tone?: TokenTone;
  /** 0 to 1; undefined draws no heat. */
  readonly heat?: number;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  /** What a screen reader says in place of text and number. */
  readonly label?: string;
  /** What stands under the token instead of the heat's number. */
  readonly children?: ComponentChildren;
  onClick?(): void;
  /** Pointer or focus rests on it, and no longer. */
  onLook?(isLooking: boolean): void;
}

export function Token({ text, tone = 'plain', heat, pressed, disabled, label, children, onClick, onLook }: TokenProps) {
  return (
    <button
      type="button"
      class="token"
      data-tone={tone}
      data-heat={heat === undefined ? undefined : ''}
      style={heat === undefined ? undefined : { '--heat-share': heat }}
      aria-pressed={pressed}
      aria-disabled={disabled}
      onClick={disabled ? undefined : onClick}
      onPointerEnter={onLook && (() => onLook(true))}
      onPointerLeave={onLook && (() => onLook(false))}
      onFocus={onLook && (() => onLook(true))}
      onBlur={onLook && (() => onLook(false))}
    >
      {/* Keyed by its text, so that a new text can be seen to come while the button keeps the focus. */}
      <span key={text} class="token-text" aria-hidden={label !== undefined}>
        {text}
      </span>
      {label !== undefined && <span class="visually-hidden">{label}</span>}
      {children ?? (heat !== undefined && <small aria-hidden={label !== undefined}>{shortProbability(heat)}</small>)}
    </button>
  );
}

/** .07, .93, 1.0: two characters after the point, as it is read on a token. */
export function shortProbability(p: number): string {
  return p >= 0.995 ? '1.0' : p.toFixed(2).slice(1);
}

/**
 * Tokens in a row: one stop of the tab key, arrows go from token to token.
 * @param label  what the row is, for a screen reader
 */
export function TokenRow(props: {
  readonly label: string;
  readonly class?: string;
  readonly lang?: string;
  readonly tour?: string;
  readonly children: ComponentChildren;
}) {
  const row = useRef<HTMLDivElement>(null);
  const current = useRef(0);
  const buttons = () => [...(row.current?.querySelectorAll<HTMLButtonElement>('button') ?? [])];
  const mark = (index: number) => {
    const all = buttons();
    current.current = Math.max(0, Math.min(index, all.length - 1));
    for (const [i, button] of all.entries()) button.tabIndex = i === current.current ? 0 : -1;
    return all[current.current] as HTMLButtonElement | undefined;
  };
  // After each drawing: tokens may have come or gone.
  useEffect(() => {
    mark(current.current);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const last = buttons().length - 1;
    const targets: Record<string, number> = {
      ArrowRight: current.current + 1,
      ArrowLeft: current.current - 1,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    mark(target)?.focus();
  };
  const onFocusIn = (event: FocusEvent) => {
    const index = buttons().indexOf(event.target as HTMLButtonElement);
    if (index >= 0) mark(index);
  };
  return (
    <div
      ref={row}
      role="toolbar"
      aria-label={props.label}
      lang={props.lang}
      data-tour={props.tour}
      class={`token-row ${props.class ?? ''}`}
      onKeyDown={onKeyDown}
      onFocusIn={onFocusIn}
    >
      {props.children}
    </div>
  );
}
