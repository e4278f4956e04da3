/** Lends a model by what it must be able to do, whichever of a folder's models that is. */
import { SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import type { StudioModels, StudioRole } from './studioCall.js';

/** Classes of models that fill masks. */
export const MASKED_LM_CLASSES = ['BertForMaskedLM', 'BertForPreTraining', 'ElectraForMaskedLM'];
/** Classes of models with a head for start and end. */
export const ANSWER_CLASSES = ['ElectraForQuestionAnswering', 'BertForQuestionAnswering'];
/** Classes of discriminators. */
export const DISCRIMINATOR_CLASSES = ['ElectraForPreTraining'];

/** @throws SettingsError when there is no model of that id, or none of its models is of these classes */
export async function withModelOf<T>(
  models: StudioModels,
  id: string,
  classes: readonly string[],
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const summary = (await models.list()).find((each) => each.id === id);
  const roles = Object.entries(summary?.roles ?? {}) as [StudioRole, string][];
  const role = roles.find(([, architecture]) => classes.includes(architecture))?.[0];
  if (summary && !role) {
    const found = roles.map(([, architecture]) => architecture).join(', ') || 'no class';
    throw new SettingsError([`model ${id} has ${found}; expected ${classes.join(' or ')}`]);
  }
  return models.withModel(id, role ?? 'model', work);
}

/** Whether one of a folder's models is of these classes. */
export async function hasModelOf(models: StudioModels, id: string, classes: readonly string[]): Promise<boolean> {
  const summary = (await models.list()).find((each) => each.id === id);
  return Object.values(summary?.roles ?? {}).some((architecture) => classes.includes(architecture));
}
