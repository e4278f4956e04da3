/** A pair with random weights as the Studio's calls are given it, for their tests. */
import { testModel } from '../pipelines/testModels.js';
import type { StudioModels, StudioRole } from './studioCall.js';

const ARCHITECTURES = { generator: 'ElectraForMaskedLM', discriminator: 'ElectraForPreTraining' } as const;

export const TEST_PAIR: StudioModels = {
  list: async () => [{ id: 'pair', roles: ARCHITECTURES }],
  withModel: async (_id, role, work) => work(models[role === 'model' ? 'generator' : role]),
};

const models: Record<Exclude<StudioRole, 'model'>, ReturnType<ReturnType<typeof testModel>['model']>> = {
  generator: testModel(ARCHITECTURES.generator).model(),
  discriminator: testModel(ARCHITECTURES.discriminator).model(),
};
