/** How the committed corruptions.jsonl was made. */
export const CORRUPTIONS = { model: 'pleiad-tiny-100', count: 500, seed: 13 } as const;
