/** The weights that a run begins with, as model folders: so that another system can begin with the same. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { saveModelFolder } from '../../src/checkpoint/modelFolder.node.js';
import type { ShardFolder } from '../../src/data/shards.node.js';
import { initializeParameter } from '../../src/nn/initialize.js';
import { modelConfigs } from '../../src/pretraining/modelConfigs.js';
import { objectiveOf } from '../../src/pretraining/objectiveOf.js';
import type { PretrainingSettings } from '../../src/pretraining/settings.js';
import { loadTokenizer } from '../../src/text/tokenizer.node.js';
import { exportedTensors } from '../../src/training/exportedTensors.js';

/** Writes a folder for each model of the objective. @returns them by name: `generator`, `discriminator` or `model` */
export async function writeStartingModels(
  settings: PretrainingSettings,
  shards: ShardFolder,
  out: string,
): Promise<Record<string, string>> {
  const objective = objectiveOf(settings, shards);
  const { vocabSize, specialIds } = shards;
  const { initializerRange } = modelConfigs(settings, { vocabSize, padTokenId: specialIds.padId }).discriminator;
  const { seed } = settings;
  const weights = new Map(
    objective.parameters.map((spec) => [
      spec.name,
      { shape: spec.shape, data: initializeParameter(spec, { seed, initializerRange }) },
    ]),
  );
  const tokenizer = loadTokenizer(shards.tokenizerFolder);
  const folders: Record<string, string> = {};
  for (const model of objective.models) {
    folders[model.folder] = join(out, model.folder);
    mkdirSync(folders[model.folder], { recursive: true });
    await saveModelFolder(folders[model.folder], { ...model, tensors: exportedTensors(model, weights), tokenizer });
  }
  return folders;
}
