/** What the files of a folder are, read off names and shapes: no weight is read, and a head that is missing is reported, not refused. */
import { planModel } from '../checkpoint/loadModel.js';
import { openModelWeights } from '../checkpoint/openTensors.js';
import type { FileSet } from '../files/byteSource.js';
import type { Architecture } from '../models/config.js';
import { readPublished, readTokenizer } from './folderModel.js';
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
  const published = await readPublished(files);
  const source = await openModelWeights(files);
  try {
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
