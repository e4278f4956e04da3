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
 * H = −Σ p ln p in nats: a property of the text that the counts are from. It is no baseline for a model: only who has
 * counted that very text reaches it, and on a short text it is far below what the frequencies of other text reach.
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
 * −Σ p ln q in nats, p from the held-out counts, q from the training counts: what a predictor that has learned how
 * frequent each piece is in the training text, and nothing else, loses on held-out text. That is the baseline of every
 * loss of predicted pieces. Never below `unigramEntropy(heldOut)`.
 * q is smoothed by adding one to every count, q = (count + 1) / (tokens + V), so a piece that training never met costs
 * ln(tokens + V) and not infinity.
 * @param heldOut  occurrences, [V]
 * @param train    occurrences, [V]
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
