/** A model as an ONNX file in standard ops (opset 20) that other runtimes load. Touches no file. */
import type { LoadedTensor } from '../checkpoint/loadTensors.js';
import { headSettings, type ModelDescription } from '../checkpoint/modelFolder.js';
import { EngineError } from '../engine/engineError.js';
import { lowerGraph } from '../engine/onnx/lower.js';
import { CONTRIB, type OnnxModel } from '../engine/onnx/model.js';
import { publishModel } from '../engine/onnx/publish.js';
import { modelForUse } from '../models/heads.js';
import { runPasses } from '../passes/passes.js';

/**
 * @returns inputs `input_ids`, `attention_mask`, `token_type_ids` int64 [batch, sequence]; outputs as transformers names them
 */
export function onnxModelOf(
  description: ModelDescription,
  tensors: ReadonlyMap<string, Pick<LoadedTensor, 'data'>>,
): OnnxModel {
  const { architecture, config } = description;
  const { graph, parameters } = modelForUse({ architecture, config, head: headSettings(description) });
  const weights = new Map(parameters.map(({ name }) => [name, tensors.get(name)!.data]));
  const { model } = lowerGraph(runPasses(graph), { target: 'portable', name: architecture, weights });
  const contrib = model.nodes.find(({ domain }) => domain === CONTRIB);
  if (contrib) throw new EngineError(`${contrib.op} is no op of the standard`, { subject: contrib.op });
  return publishModel(model);
}

/** How far the outputs of a changed model are from those of the original, on the same rows. */
export interface OutputDifference {
  /** ‖changed − original‖ / ‖original‖ over all values, after the mean of each output is taken away. */
  readonly relative: number;
  /** The largest difference of one value. */
  readonly largest: number;
}

/**
 * Compares outputs, name by name.
 * @param original  at least one value
 */
export function compareOutputs(original: readonly Float32Array[], changed: readonly Float32Array[]): OutputDifference {
  let difference = 0;
  let size = 0;
  let largest = 0;
  for (const [i, values] of original.entries()) {
    // Logits that are all shifted alike say the same; what counts is how much they vary.
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const [k, value] of values.entries()) {
      const error = Math.abs(changed[i][k] - value);
      difference += error ** 2;
      size += (value - mean) ** 2;
      largest = Math.max(largest, error);
    }
  }
  return { relative: Math.sqrt(difference / size), largest };
}

/** Parts of a model that are quantized, or left in float, together: a weight's name → its group. */
export function quantizationGroup(name: string): string {
  const layer = /\.encoder\.layer\.(\d+)\.(attention|intermediate|output)\./.exec(name);
  if (layer) return `layer ${layer[1]} ${layer[2]}`;
  if (name.includes('.embeddings.')) return 'embeddings';
  return name.includes('embeddings_project') ? 'projection' : 'head';
}
