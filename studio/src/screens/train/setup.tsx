/** What to learn from, and how long: few choices, all with a good default. */
import { useState } from 'preact/hooks';
import type { PreparedData } from '../../../../src/studio/studioApi.js';
import type { ScreenState, StateChanges } from '../../app/address.js';
import { useWords } from '../../app/words.js';
import { Choice } from '../../components/choice.js';
import { grouped } from './numbers.js';
import { WORDS } from './words.js';

export type Source = 'sample' | 'own' | 'data';

/** Characters: fewer hold no tenth to test on. */
export const LEAST_TEXT = 6000;
export const STEPS = [400, 1600, 4000] as const;
const SIZES = ['tiny', 'mini', 'small', 'base'] as const;

export interface Choices {
  readonly source: Source;
  readonly text: string;
  readonly data: string;
  readonly size: (typeof SIZES)[number];
  readonly steps: number;
  readonly name: string;
}

/** What the address says; a text of the reader's own is not in it, as it may be long. */
export function choicesOf(state: ScreenState, text: string, data: readonly PreparedData[]): Choices {
  const steps = Number(state.steps);
  return {
    source: state.source === 'own' || state.source === 'data' ? state.source : 'sample',
    text,
    data: state.data ?? data[0]?.id ?? '',
    size: SIZES.find((size) => size === state.size) ?? 'tiny',
    steps: Number.isInteger(steps) && steps > 0 && steps <= 10_000_000 ? steps : STEPS[1],
    name: state.name ?? '',
  };
}

export function Setup(props: {
  readonly choices: Choices;
  readonly isServer: boolean;
  readonly data: readonly PreparedData[];
  change(changes: StateChanges): void;
  setText(text: string): void;
}) {
  const { choices, isServer, data, change, setText } = props;
  const t = useWords(WORDS);
  const sources: readonly (readonly [Source, string])[] = [
    ['sample', t.sample],
    ['own', t.own],
    ...(isServer ? [['data', t.data] as const] : []),
  ];
  return (
    <div class="train-setup" data-tour="source">
      <Choice
        legend={t.source}
        name="source"
        options={sources}
        value={choices.source}
        choose={(source) => change({ source: source === 'sample' ? undefined : source })}
      />
      {choices.source === 'sample' && <p class="train-note">{t.sampleNote}</p>}
      {choices.source === 'own' && <OwnText text={choices.text} setText={setText} />}
      {choices.source === 'data' && <PreparedChoice data={data} chosen={choices.data} change={change} />}
      <div class="train-fields">
        {isServer && (
          <label>
            {t.name}
            <input
              type="text"
              maxLength={64}
              value={choices.name}
              onInput={({ currentTarget }) => change({ name: currentTarget.value || undefined })}
            />
          </label>
        )}
        {isServer && (
          <label>
            {t.size}
            <select value={choices.size} onChange={({ currentTarget }) => change({ size: currentTarget.value })}>
              {SIZES.map((size) => (
                <option key={size} value={size}>
                  {size}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          {t.steps}
          <select value={choices.steps} onChange={({ currentTarget }) => change({ steps: currentTarget.value })}>
            {[...new Set([...STEPS, choices.steps])]
              .sort((a, b) => a - b)
              .map((steps) => (
                <option key={steps} value={steps}>
                  {grouped(steps)}
                </option>
              ))}
          </select>
        </label>
      </div>
    </div>
  );
}

function OwnText({ text, setText }: { readonly text: string; setText(text: string): void }) {
  const t = useWords(WORDS);
  const [draft, setDraft] = useState(text);
  return (
    <div class="train-own">
      <textarea
        aria-label={t.ownLabel}
        rows={7}
        placeholder={t.ownPlaceholder}
        value={draft}
        onInput={({ currentTarget }) => {
          setDraft(currentTarget.value);
          setText(currentTarget.value);
        }}
      />
      {draft.length < LEAST_TEXT && <p class="train-note">{t.ownLength(grouped(draft.length), grouped(LEAST_TEXT))}</p>}
    </div>
  );
}

function PreparedChoice(props: {
  readonly data: readonly PreparedData[];
  readonly chosen: string;
  change(changes: StateChanges): void;
}) {
  const { data, chosen, change } = props;
  const t = useWords(WORDS);
  if (data.length === 0) return <p class="train-note">{t.noData}</p>;
  return (
    <div class="train-fields">
      <label>
        {t.folder}
        <select value={chosen} onChange={({ currentTarget }) => change({ data: currentTarget.value })}>
          {data.map(({ id, tokens }) => (
            <option key={id} value={id}>
              {id} · {t.tokens(grouped(tokens))}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
