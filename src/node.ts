/** Everything of `pleiad`, and what needs Node: files, worker threads, the native engine. */

export * from './checkpoint/modelFolderNode.js';
export * from './checkpoint/safetensorsNode.js';
export { type MergeResult, mergeParts } from './data/prepare/node/parts.js';
export { type PrepareResult, prepareCorpus } from './data/prepare/node/prepareCorpus.js';
export type { PrepareProgress } from './data/prepare/node/progress.js';
export type { PrepareSettings } from './data/prepare/node/settings.js';
export * from './data/prepare/node/trainVocabulary.js';
export { openShards, type ShardFolder } from './data/shardsNode.js';
export * from './engine/onnxruntime/nodeEngine.js';
export * from './index.js';
export * from './pipelines/node.js';
export * from './text/tokenizerNode.js';
export * from './training/evaluateRunNode.js';
export { type PretrainOptions, pretrainToFolder } from './training/pretrainNode.js';
export { checkpointOf, type RunFile, readRunFile } from './training/runFolderNode.js';
