/** Everything of `pleiad`, and what needs Node: files, worker threads, the native engine. */

export { unpackArchive } from './checkpoint/archive/unpackNode.js';
export { folderFiles, openFileSource } from './checkpoint/byteSourceNode.js';
export type { HubEvent, HubListener } from './checkpoint/hub/events.js';
export * from './checkpoint/hub/fetchModelNode.js';
export * from './checkpoint/hub/hubError.js';
export type { ModelFiles, WeightFormat } from './checkpoint/hub/modelFiles.js';
export type { HubOptions } from './checkpoint/hub/settingsNode.js';
export * from './checkpoint/modelFolderNode.js';
export * from './checkpoint/openTensorsNode.js';
export * from './checkpoint/safetensorsNode.js';
export * from './checkpoint/weightFilesNode.js';
export { type ConnectOptions, connectRanks } from './collective/node/connect.js';
export { type PrepareResult, prepareCorpus } from './data/prepare/node/prepareCorpus.js';
export type { PrepareProgress } from './data/prepare/node/progress.js';
export type { PrepareSettings } from './data/prepare/node/settings.js';
export * from './data/prepare/node/trainVocabulary.js';
export { openShards, type ShardFolder } from './data/shardsNode.js';
export { type DocumentToTag, withTagFile, writeTagFile } from './data/tagFileNode.js';
export * from './engine/node/chooseEngine.js';
export * from './engine/onednn/engine.js';
export * from './engine/onnxruntime/nodeEngine.js';
export * from './index.js';
export * from './pipelines/node.js';
export * from './text/tokenizerNode.js';
export * from './training/evaluateRunNode.js';
export { type PretrainOptions, pretrainToFolder } from './training/pretrainNode.js';
export { checkpointOf, type RunFile, readRunFile } from './training/runFolderNode.js';
