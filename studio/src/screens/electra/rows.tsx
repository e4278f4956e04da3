/** The four rows: original, masked, corrupted, doubt. Each token is a column; the rows break into lines together. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { CorruptedToken, ElectraStep } from '../../../../src/studio/calls/electraStep.js';
import type { StateChanges } from '../../app/address.js';
import { useLanguage, useWords } from '../../app/words.js';
import { Figure } from '../../components/figure.js';
import { Rich } from '../../components/rich.js';
import { TextField } from '../../components/textField.js';
import { Token, TokenRow } from '../../components/tokens.js';
import { useWidth } from '../../components/useWidth.js';
import { brokenLines, textWidth } from '../../figures/lines.js';
import { stepCode } from './code.js';
import { RowsDrawing } from './rowsDrawing.js';
import { type ElectraState, toggledMask, withText, withTyped } from './state.js';
import { WORDS } from './words.js';

interface RowsProps {
  readonly model: string;
  readonly step: ElectraStep;
  readonly state: ElectraState;
  /** The gap whose distribution is shown. */
  readonly shown?: number;
  readonly isBusy: boolean;
  /** What stands under the rows. */
  readonly children: ComponentChildren;
  change(changes: StateChanges): void;
  did(what: string): void;
  hover(index: number | undefined): void;
}

export function Rows({ model, step, state, shown, isBusy, children, change, did, hover }: RowsProps) {
  const t = useWords(WORDS);
  const [box, width] = useWidth<HTMLDivElement>();
  const isNarrow = width < 560;
  const lines = brokenLines(columnWidths(step), width - (isNarrow ? 62 : 104), 4);
  const same = step.corrupted.findIndex(({ kind }) => kind === 'same');
  const line = { step, state, shown, change, did, hover };
  return (
    <div class="card electra-card">
      <Sentence text={state.text} change={(text) => change(withText(text))} />
      <Figure
        title={t.step}
        name="electra-step"
        data={step}
        code={stepCode(model, state.text, {
          temperature: state.temperature,
          seed: state.draw === 'best' ? 0 : state.draw,
        })}
        drawing={() => <RowsDrawing step={step} names={[t.original, t.masked, t.corrupted, t.doubt]} />}
        tour="rows"
      >
        <div ref={box} class="electra-rows" aria-busy={isBusy} onPointerLeave={() => hover(undefined)}>
          {width > 0 && lines.map((columns) => <Line key={columns[0]} {...line} columns={columns} />)}
        </div>
        <p class="electra-rule" aria-live="polite">
          {same < 0 ? t.clickRule : <Rich text={t.sameRule(wordOf(step.corrupted[same]))} />}
        </p>
        {step.isCut && <p class="electra-rule">{t.cut}</p>}
      </Figure>
      {children}
    </div>
  );
}

function Sentence({ text, change }: { readonly text: string; change(text: string): void }) {
  const t = useWords(WORDS);
  return (
    <div class="electra-sentence">
      <TextField label={t.sentence} value={text} change={change} />
    </div>
  );
}

interface LineProps extends Omit<RowsProps, 'model' | 'children' | 'isBusy'> {
  readonly columns: readonly number[];
}

function Line({ step, state, shown, columns, change, did, hover }: LineProps) {
  const t = useWords(WORDS);
  const language = useLanguage();
  const [edited, edit] = useState<number>();
  const line = useRef<HTMLDivElement>(null);
  // Whoever wrote a word by keyboard goes on from its token.
  const left = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (edited !== undefined || left.current === undefined) return;
    const corruptedRow = line.current?.querySelectorAll('.electra-row')[2];
    corruptedRow?.querySelectorAll('button')[left.current]?.focus();
    left.current = undefined;
  }, [edited]);
  const { tokens, corrupted, places } = step;
  const isMasked = (index: number) => places.some((place) => place.index === index);
  const look = (index: number) => (isLooking: boolean) => hover(isLooking ? index : undefined);
  return (
    <div ref={line} class="electra-line" style={{ '--columns': columns.length }}>
      <span class="electra-label">{t.original}</span>
      <TokenRow label={t.original} class="electra-row" lang={language}>
        {columns.map((index) => {
          const { piece } = tokens[index];
          return (
            <Token
              key={index}
              text={piece}
              pressed={isMasked(index)}
              label={isMasked(index) ? t.unmask(piece) : t.mask(piece)}
              onLook={isMasked(index) ? look(index) : undefined}
              onClick={() => {
                change(toggledMask(state, index));
                did('masked');
              }}
            />
          );
        })}
      </TokenRow>

      <span class="electra-label">{t.masked}</span>
      <TokenRow label={t.masked} class="electra-row">
        {columns.map((index) =>
          isMasked(index) ? (
            <Token
              key={index}
              text="[MASK]"
              tone="mask"
              pressed={shown === index}
              label={t.gap(tokens[index].piece)}
              onLook={look(index)}
              onClick={() => change({ look: `${index}` })}
            />
          ) : (
            <span key={index} class="electra-same">
              {tokens[index].piece}
            </span>
          ),
        )}
      </TokenRow>

      <span class="electra-label">{t.corrupted}</span>
      <TokenRow label={t.corrupted} class="electra-row" lang={language}>
        {columns.map((index) => {
          const word = corrupted[index];
          const { piece } = tokens[index];
          if (edited === index) {
            return (
              <Editor
                key={index}
                value={word.kind === 'kept' ? '' : wordOf(word)}
                label={t.writeLabel(piece)}
                finish={(text, isByKey) => {
                  if (isByKey) left.current = columns.indexOf(index);
                  edit(undefined);
                  if (text !== undefined) change(withTyped(state, index, text));
                }}
              />
            );
          }
          return (
            <Token
              key={index}
              text={word.kind === 'same' ? `${wordOf(word)} ✓` : wordOf(word)}
              tone={word.kind === 'same' ? 'same' : word.kind === 'kept' ? 'plain' : 'drawn'}
              label={`${spoken(t, word, piece)}; ${t.write(wordOf(word))}`}
              onClick={() => edit(index)}
            />
          );
        })}
      </TokenRow>

      <span class="electra-label">{t.doubt}</span>
      <ul class="electra-row electra-doubts" lang={language}>
        {columns.map((index) => {
          const { doubt } = corrupted[index];
          const isCalled = doubt >= state.threshold;
          return (
            <li
              key={index}
              class="token"
              data-heat=""
              data-called={isCalled || undefined}
              style={{ '--heat-share': doubt }}
            >
              <span class="token-text" aria-hidden="true">
                {wordOf(corrupted[index])}
              </span>
              <small aria-hidden="true">{doubt >= 0.995 ? '1.0' : doubt.toFixed(2).slice(1)}</small>
              <span class="visually-hidden">
                {t.doubtOf(wordOf(corrupted[index]), Math.round(doubt * 100), isCalled)}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** A field in place of a token. Enter and leaving it keep what is written, Escape does not; an empty one takes it back. */
function Editor(props: {
  readonly value: string;
  readonly label: string;
  finish(text: string | undefined, isByKey: boolean): void;
}) {
  const input = useRef<HTMLInputElement>(null);
  // A field that goes away is left too: only the first end counts.
  const isOver = useRef(false);
  const finish = (text: string | undefined, isByKey: boolean) => {
    if (isOver.current) return;
    isOver.current = true;
    props.finish(text, isByKey);
  };
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  return (
    <input
      ref={input}
      class="electra-editor"
      type="text"
      aria-label={props.label}
      defaultValue={props.value}
      maxLength={60}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter' && !event.isComposing) finish(event.currentTarget.value, true);
        if (event.key === 'Escape') finish(undefined, true);
      }}
      onBlur={(event) => finish(event.currentTarget.value, false)}
    />
  );
}

/** As it is read: the pieces of a typed word together. */
export function wordOf({ pieces }: CorruptedToken): string {
  return pieces.map((piece, i) => (i === 0 ? piece : piece.replace(/^##/, ''))).join('');
}

type Translated = ReturnType<typeof useWords<(typeof WORDS)['en']>>;

function spoken(t: Translated, word: CorruptedToken, original: string): string {
  if (word.kind === 'same') return t.drawnSame(wordOf(word));
  if (word.kind === 'drawn') return t.drawnOther(wordOf(word), original);
  return word.kind === 'typed' ? t.typedWord(wordOf(word), original) : wordOf(word);
}

/** The widest that stands in each column. */
function columnWidths({ tokens, corrupted, places }: ElectraStep): number[] {
  return tokens.map(({ piece }, index) => {
    const mask = places.some((place) => place.index === index) ? 52 : 0;
    const word = corrupted[index].kind === 'same' ? `${wordOf(corrupted[index])} ✓` : wordOf(corrupted[index]);
    return 22 + Math.max(mask, textWidth(piece, 17), textWidth(word, 17), 24);
  });
}
