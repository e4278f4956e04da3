/** What a run's newest model says of its six held-out sentences. */
import { z } from 'zod';
import { predictProbes } from '../probes.js';
import { studioCall } from '../studioCall.js';

const probe = z.strictObject({
  masked: z.string().max(500),
  answer: z.string(),
  wrong: z.string().max(500),
  intruder: z.string(),
  original: z.string(),
});

export const predictProbesCall = studioCall({
  input: z.strictObject({ model: z.string(), probes: z.array(probe).max(12) }),
  async run(models, { model: id, probes }) {
    const known = (await models.list()).find((each) => each.id === id);
    const { roles = {} } = known ?? {};
    const filler = roles.generator ? 'generator' : 'model';
    if (!roles.discriminator) return models.withModel(id, filler, (model) => predictProbes(probes, model, undefined));
    return models.withModel(id, 'discriminator', (discriminator) =>
      roles.generator
        ? models.withModel(id, 'generator', (generator) => predictProbes(probes, generator, discriminator))
        : predictProbes(probes, undefined, discriminator),
    );
  },
});
