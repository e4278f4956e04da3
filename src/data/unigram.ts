/** The unigram distribution of a corpus: ELECTRA's simplest generator, and the loss that any real one must beat. */

/**
 * Probability of each id, add-`smoothing` so that no id is impossible.
 * @param counts  occurrences, [V]
 * @returns       float32 [V], sums to 1
 */
export function unigramProbabilities(counts: ArrayLike<number>, smoothing = 0): Float32Array {
  const total = sum(counts) + smoothing * counts.length;
  return Float32Array.from(counts, (count) => (count + smoothing) / total);
}

/**
 * H = −Σ p ln p in nats: the loss of the best predictor that looks at no context, on the text the counts are from.
 * @param counts  occurrences, [V]
 */
export function unigramEntropy(counts: ArrayLike<number>): number {
  const total = sum(counts);
  let entropy = 0;
  for (let id = 0; id < counts.length; id++) {
    if (counts[id] > 0) entropy -= (counts[id] / total) * Math.log(counts[id] / total);
  }
  return entropy;
}

/**
 * −Σ p ln q in nats, p from the held-out counts, q from the training counts with add-one smoothing: what a unigram
 * model fitted on the training text loses on held-out text. Never below `unigramEntropy(heldOut)`.
 */
export function unigramCrossEntropy(heldOut: ArrayLike<number>, train: ArrayLike<number>): number {
  const total = sum(heldOut);
  const trainTotal = sum(train) + train.length;
  let loss = 0;
  for (let id = 0; id < heldOut.length; id++) {
    if (heldOut[id] > 0) loss -= (heldOut[id] / total) * Math.log((train[id] + 1) / trainTotal);
  }
  return loss;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}
