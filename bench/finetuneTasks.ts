/** The tasks of `bench finetune`, apart from the benchmark so that the command line knows them without loading it. */
export const FINETUNE_TASKS = ['text-classification', 'question-answering'] as const;
export type FinetuneTask = (typeof FINETUNE_TASKS)[number];
