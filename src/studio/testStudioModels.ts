/** Models of tests as the Studio lends them. */
import { SettingsError } from '../errors/errors.js';
import type { Model } from '../pretrained/model.js';
import type { StudioModels, StudioRole } from './studioCall.js';

/** @param models  by id, of each its models by role */
export function testStudioModels(
  models: Readonly<Record<string, Readonly<Partial<Record<StudioRole, Model>>>>>,
): StudioModels {
  const rolesOf = (id: string) =>
    Object.entries(models[id]).map(([role, model]) => [role, model.description.architecture]);
  return {
    list: async () => Object.keys(models).map((id) => ({ id, roles: Object.fromEntries(rolesOf(id)) })),
    withModel(id, role, work) {
      const model = models[id]?.[role];
      if (!model) throw new SettingsError([`there is no model ${id} with a ${role}`]);
      return work(model);
    },
  };
}
