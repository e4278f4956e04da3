/** How the tab trains: many short steps at a low rate, on rows of 32. In minutes the number of updates counts (docs/results.md). */
export const TAB_TRAINING_SETTINGS = {
  recipe: 'none',
  size: 'tiny',
  length: 32,
  batchSize: 16,
  learningRate: 5e-4,
} as const;
/** Pieces of the vocabulary of a long text. */
export const TAB_VOCABULARY = 4096;
