/** The runs of the server: each can be watched, stopped and gone on with, and laid over the one that is watched. */
import type { RunSummary } from '../../../../src/studio/studioApi.js';
import { useWords } from '../../app/words.js';
import { grouped } from './numbers.js';
import { WORDS } from './words.js';

const STATES: readonly RunSummary['state'][] = ['training', 'elsewhere', 'stopped', 'finished'];

export function Runs(props: {
  readonly runs: readonly RunSummary[];
  readonly watched: string | undefined;
  readonly over: readonly string[];
  watch(id: string): void;
  layOver(id: string, isOver: boolean): void;
}) {
  const { runs, watched, over, watch, layOver } = props;
  const t = useWords(WORDS);
  return (
    <section class="train-runs" data-tour="runs">
      <h2>{t.runs}</h2>
      {runs.length === 0 && <p class="train-note">{t.noRuns}</p>}
      <ul>
        {runs.map(({ id, state, objective, size, step, totalSteps }) => (
          <li key={id} data-watched={id === watched || undefined}>
            <button
              type="button"
              class="train-run"
              aria-current={id === watched ? 'true' : undefined}
              onClick={() => watch(id)}
            >
              <b>{id}</b>
              <span>{[objective, size].filter(Boolean).join(', ')}</span>
              <span>
                {totalSteps === undefined ? t.stepsText(grouped(step)) : t.stepOf(grouped(step), grouped(totalSteps))}
              </span>
            </button>
            <span class="train-state" data-state={state}>
              {t.states[STATES.indexOf(state)]}
            </span>
            {id !== watched && (
              <label class="train-over">
                <input
                  type="checkbox"
                  checked={over.includes(id)}
                  onChange={({ currentTarget }) => layOver(id, currentTarget.checked)}
                />
                {t.overlay}
              </label>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
