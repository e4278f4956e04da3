/** Names of the models in the box that are taken where no model is given; see modelsPackage.node.ts. */
export const BOXED = {
  /** An ELECTRA pair: detects, fills masks, proofreads. */
  pair: 'pleiad-en',
  /** Answers questions. */
  questionAnswering: 'pleiad-en-qa',
  /** A SpanBERT with its boundary head: fills spans. */
  span: 'pleiad-en-span',
} as const;
