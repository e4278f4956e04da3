/** What became of every tensor: counts, and names where somebody may want to know them. */
import type { StudioInspection } from '../../../../src/studio/inspection.js';
import { useWords } from '../../app/words.js';
import { WORDS } from './words.js';

export function Report({ report }: { readonly report: NonNullable<StudioInspection['report']> }) {
  const t = useWords(WORDS);
  const groups: readonly (readonly [string, number, readonly string[]])[] = [
    [t.taken, report.loaded, []],
    [t.converted, report.converted.length, report.converted.map(({ name, how }) => `${name}: ${how}`)],
    [t.tied, report.tied.length, report.tied.map(({ name, to }) => `${name} = ${to}`)],
    [t.missingTensors, report.missing.length, report.missing.map(({ name, shape }) => `${name} [${shape.join(', ')}]`)],
    [t.unused, report.unused.length, report.unused.map(({ from, why }) => `${from}: ${why}`)],
  ];
  return (
    <section class="models-report" data-tour="report">
      <h2>{t.report}</h2>
      <p class="models-source">
        {report.source} · {report.format}
      </p>
      <ul>
        {groups.map(([name, count, names]) => (
          <li key={name} data-kind={name === t.missingTensors && count > 0 ? 'missing' : undefined}>
            {names.length > 0 ? (
              <details>
                <summary>
                  <b>{count}</b> {name}
                </summary>
                <ul>
                  {names.map((each) => (
                    <li key={each}>{each}</li>
                  ))}
                </ul>
              </details>
            ) : (
              <>
                <b>{count}</b> {name}
              </>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
