/** Names of the models in the box that are taken where no model is given; see modelsPackage.node.ts. */
export const BOXED = {
  /** An ELECTRA pair: detects, fills masks, proofreads. */
  pair: 'pleiad-en',
  /** Answers questions, and says where there is no answer. */
  questionAnswering: 'pleiad-en-qa',
} as const;
