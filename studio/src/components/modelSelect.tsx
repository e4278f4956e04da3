/** Which model a screen asks. With one model there is nothing to choose, and its name alone stands there. */
import type { StudioModelSummary } from '../../../src/studio/studioCall.js';
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
  if (models.length === 0) return null;
  if (models.length === 1 && none === undefined) {
    return (
      <span class="model-select">
        {label} <b>{models[0].id}</b>
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
      </select>
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
