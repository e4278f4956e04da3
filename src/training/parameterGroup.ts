/** How a parameter is updated, decided by its name: weight decay and learning rate. */

export interface ParameterGroup {
  /** Whether weight decay applies to it. */
  readonly decayed: boolean;
  /** Multiplies the learning rate, from 0: below 1 where lower layers are to change less. */
  readonly rateScale: number;
}

/** Names that weight decay leaves out: google-research/electra model/optimization.py, exclude_from_weight_decay. */
const NOT_DECAYED = /LayerNorm|layer_norm|bias/;

export function isDecayed(name: string): boolean {
  return !NOT_DECAYED.test(name);
}

/** Where nothing else is said: biases and layer norms do not decay, all have one rate. */
export function defaultGroup(name: string): ParameterGroup {
  return { decayed: isDecayed(name), rateScale: 1 };
}

/**
 * Layer-wise rate decay (google-research/electra, finetune; Howard & Ruder, arXiv 1801.06146 §3.2): heads learn at the full
 * rate, the last layer at `decay`, each layer below at `decay` times the rate of the one above, embeddings at the lowest.
 * @param decay  above 0, at most 1; 1 gives one rate to all
 */
export function layerwiseGroups(decay: number, numLayers: number): (name: string) => ParameterGroup {
  return (name) => ({ decayed: isDecayed(name), rateScale: decay ** (numLayers + 1 - depthOf(name, numLayers)) });
}

/** 0 for embeddings, 1 for the first layer, …, numLayers + 1 for what is on top of the encoder. */
function depthOf(name: string, numLayers: number): number {
  const layer = /\.encoder\.layer\.(\d+)\./.exec(name);
  if (layer) return Number(layer[1]) + 1;
  return /\.(embeddings|embeddings_project)\./.test(name) ? 0 : numLayers + 1;
}
