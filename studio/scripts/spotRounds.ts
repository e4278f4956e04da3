/**
 * Computes the rounds of "Spot the fake" that lie in the page, with the models that the page will have, by the same
 * call as later rounds. Their sentences and seeds were chosen (FIRST_SEEDS in game.ts); all else is what the models say.
 *
 *     npm run studio:rounds                           from the models in models/
 *     STUDIO_MODELS=DIR npm run studio:rounds         from others
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeEngine, ElectraForMaskedLM, ElectraForPreTraining } from '../../src/index.node.js';
import { type SpotRound, spotRound } from '../../src/studio/calls/spotRound.js';
import { listModels } from '../../src/studio/listModels.node.js';
import { summaryOf } from '../../src/studio/modelManifest.js';
import type { StudioModels } from '../../src/studio/studioCall.js';
import { pairFor } from '../src/backend/pickModel.js';
import { BUILT_ROUNDS, requestOf } from '../src/screens/spot/game.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
// The compiled script lies in dist/rounds/studio/scripts/.
const OUT = path('../../../../studio/src/screens/spot/builtRounds.ts');
const root = process.env.STUDIO_MODELS ?? path('../../../../models');
const LANGUAGES = ['en', 'ko'] as const;

const { models } = listModels(root);
const engine = await createNodeEngine();
const rounds: Record<(typeof LANGUAGES)[number], SpotRound[]> = { en: [], ko: [] };
for (const language of LANGUAGES) {
  const pair = pairFor(models.map(summaryOf), language);
  if (!pair) throw new Error(`${root} has no generator and discriminator for "${language}"`);
  const { roles } = models.find(({ id }) => id === pair.id)!;
  const places: StudioModels = {
    list: async () => [pair],
    withModel: async (_, role, work) => {
      const type = role === 'discriminator' ? ElectraForPreTraining : ElectraForMaskedLM;
      const model = await type.fromPretrained(join(root, roles[role]!.folder), { engine });
      return work(model).finally(() => model.release());
    },
  };
  for (let round = 0; round < BUILT_ROUNDS; round++) {
    rounds[language].push(await spotRound.run(places, { model: pair.id, ...requestOf(language, 1, round) }));
  }
  console.log(`${language}: ${pair.id}`);
}
await engine.close();

const shortened = JSON.stringify(
  rounds,
  (_, value) => (typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value),
  2,
);
writeFileSync(
  OUT,
  `/** Written by studio/scripts/spotRounds.ts (\`npm run studio:rounds\`): the rounds that are there before any model is. */
import type { SpotRound } from '../../../../src/studio/calls/spotRound.js';
import type { Language } from '../../app/words.js';

export const BUILT: Readonly<Record<Language, readonly SpotRound[]>> = ${shortened};
`,
);
