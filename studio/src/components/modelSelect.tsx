/** Which model a screen asks. With one model there is nothing to choose, and its name alone stands there. */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
import { SHELL_WORDS } from '../app/shellWords.js';
import { languageOf, useLanguage, useWords } from '../app/words.js';
import './modelSelect.css';

export interface ModelSelectProps {
  readonly label: string;
  readonly models: readonly StudioModelSummary[];
  readonly value: string | undefined;
  /** Words of a first choice that is no model, such as "none". */
  readonly none?: string;
  onChange(id: string | undefined): void;
}

export function ModelSelect({ label, models, value, none, onChange }: ModelSelectProps) {
  const t = useWords(SHELL_WORDS);
  const pageLanguage = useLanguage();
  if (models.length === 0) return null;
  // Whoever reads the page in one language is told of a model that knows only the other.
  const language = languageOf((models.find(({ id }) => id === value) ?? models[0]).language);
  const note = language && language !== pageLanguage && value !== undefined && (
    <span class="model-select-note">{t.modelLanguage[language === 'en' ? 0 : 1]}</span>
  );
  if (models.length === 1 && none === undefined) {
    return (
      <span class="model-select">
        {label} <b>{models[0].id}</b> {note}
      </span>
    );
  }
  return (
    <label class="model-select">
      {label}{' '}
      <select value={value ?? ''} onChange={(event) => onChange(event.currentTarget.value || undefined)}>
        {none !== undefined && <option value="">{none}</option>}
        {models.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>{' '}
      {note}
    </label>
  );
}

/** The models that have one of these classes. */
export function modelsOf(
  models: readonly StudioModelSummary[] | undefined,
  classes: readonly string[],
): readonly StudioModelSummary[] {
  return (models ?? []).filter(({ roles }) =>
    Object.values(roles).some((architecture) => classes.includes(architecture)),
  );
}

/** The model that the address names where there is such a one, else the first. */
export function chosenModel(models: readonly StudioModelSummary[], id: string | undefined) {
  return models.find((model) => model.id === id) ?? models.at(0);
}
