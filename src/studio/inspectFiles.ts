/** What the files of a folder are, read off names and shapes: no weight is read, and a head that is missing is told, not refused. */
import { planModel } from '../checkpoint/loadModel.js';
import { parsePublishedConfig } from '../checkpoint/modelFolder.js';
import { openModelWeights } from '../checkpoint/openTensors.js';
import { CheckpointError } from '../errors/errors.js';
import type { FileSet } from '../files/byteSource.js';
import { CONFIG_FILE } from '../hub/modelFiles.js';
import type { Architecture } from '../models/config.js';
import { readJson, readTokenizer } from './folderModel.js';
import { inspectionOf, type StudioInspection } from './inspection.js';

export interface InspectedFiles {
  readonly inspection: StudioInspection;
  readonly architecture: Architecture;
  /** Whether it runs as it is: nothing would have to start at random. */
  readonly isWhole: boolean;
}

/**
 * Inspects a folder that was dropped into the page.
 * @throws CheckpointError when it has no config.json or no weights, or these do not fit each other; DataError for files that
 *         are damaged
 */
export async function inspectFiles(files: FileSet): Promise<InspectedFiles> {
  const config = await readJson(files, CONFIG_FILE);
  if (config === undefined) {
    throw new CheckpointError(`${files.name} has no ${CONFIG_FILE}`, {
      subject: files.name,
      found: files.names,
      expected: 'a model folder: config.json, weights, tokenizer.json',
      advice: `It has ${files.names.slice(0, 20).join(', ') || 'no files'}`,
    });
  }
  const source = await openModelWeights(files);
  try {
    const published = parsePublishedConfig(config, `${files.name}/${CONFIG_FILE}`);
    const { model, plan } = planModel(source, published, { newHead: true });
    const tokenizer = await readTokenizer(files);
    const report = {
      source: files.name,
      format: source.format,
      loaded: plan.tensors.map(({ name, from }) => ({ name, from })),
      missing: plan.missing,
      unused: plan.unused,
    };
    return {
      inspection: inspectionOf(model, report, tokenizer),
      architecture: model.architecture,
      isWhole: plan.missing.length === 0,
    };
  } finally {
    await source.close();
  }
}
