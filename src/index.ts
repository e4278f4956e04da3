/** The library without a file system: what runs in a browser as well as in Node. `pleiad/node` adds what needs Node. */

export * from './autodiff/gradients.js';
export * from './checkpoint/loadModel.js';
export { type LoadPlan, type LoadTarget, planLoad } from './checkpoint/loadPlan.js';
export { describeLoadReport, type LoadReport } from './checkpoint/loadReport.js';
export { type LoadedTensor, runLoadPlan, type TensorKeeping } from './checkpoint/loadTensors.js';
export * from './checkpoint/modelFolder.js';
export * from './checkpoint/nameMaps.js';
export { openTensorFile, openTensorFolder, PackedCheckpoint } from './checkpoint/openTensors.js';
export { TENSOR_FORMATS, type TensorFormat, type TensorInfo, TensorSource } from './checkpoint/tensorSource.js';
export * from './collective/agreement.js';
export * from './collective/collective.js';
export { memoryCollectives } from './collective/memoryCollective.js';
export { type BatchSettings, type BatchSource, type Blocks, createBatchSource } from './data/batches.js';
export { createMasking, MASKING_NAMES, type MaskingName, type MaskingSettings } from './data/masking/createMasking.js';
export { type MaskBatchSettings, maskBatch } from './data/masking/maskBatch.js';
export * from './data/masking/mixture.js';
export * from './data/masking/random.js';
export * from './data/masking/scheme.js';
export * from './data/masking/span.js';
export { mergedSpans } from './data/masking/spans.js';
export * from './data/masking/spanTargets.js';
export * from './data/masking/statistics.js';
export * from './data/masking/tagged.js';
export { type TokenDraw, uniformTokens, unigramTokens } from './data/masking/tokenDraw.js';
export * from './data/masking/uniformSpan.js';
export * from './data/masking/wholeWord.js';
export { isHeldOut } from './data/prepare/tokenizeUnit.js';
export * from './data/shards.js';
export * from './data/tags.js';
export { type TextShardsOptions, textShards } from './data/textShards.js';
export * from './data/unigram.js';
export * from './engine/engine.js';
export * from './engine/engineError.js';
export * from './engine/engineIdentity.js';
export * from './engine/engineNames.js';
export * from './engine/interpreterEngine.js';
export * from './engine/onnx/lower.js';
export { createWebEngine, type WebEngineOptions } from './engine/onnxruntime/webEngine.js';
export * from './errors/errors.js';
export * from './files/byteSource.js';
export { unpackTar, unpackZip } from './formats/archive/unpack.js';
export type { UnpackLimits, UnpackTarget } from './formats/archive/unpacking.js';
export * from './formats/safetensors.js';
export * from './graph/check.js';
export * from './graph/dimensions.js';
export * from './graph/graph.js';
export * from './graph/print.js';
export * from './models/bert.js';
export * from './models/config.js';
export * from './models/electra.js';
export * from './models/encoder.js';
export * from './models/heads.js';
export * from './models/modelGraph.js';
export * from './models/spanbert.js';
export * from './models/vocabularyHead.js';
export * from './nn/layers.js';
export * from './nn/parameters.js';
export * from './passes/passes.js';
export * from './pipelines/createPipeline.js';
export * from './pipelines/fillMask.js';
export * from './pipelines/fillSpan.js';
export * from './pipelines/registry.js';
export * from './pipelines/replacedTokenDetection.js';
export * from './pipelines/showMask.js';
export { type SnapshotPipelineName, snapshotPipeline } from './pipelines/snapshotPipeline.js';
export * from './pipelines/textClassification.js';
export * from './pipelines/textCorruption.js';
export * from './pretrained/exportOnnx.js';
export * from './pretrained/model.js';
export { createElectra, type ElectraName } from './pretraining/electra.js';
export type { ElectraConfig } from './pretraining/electraGraph.js';
export { createMaskedLm, type MaskedLmConfig } from './pretraining/maskedLm.js';
export * from './pretraining/metrics.js';
export { modelConfigs } from './pretraining/modelConfigs.js';
export { objectiveOf } from './pretraining/objectiveOf.js';
export { PRETRAINING_OBJECTIVES, type PretrainingObjectiveName } from './pretraining/objectives.js';
export { type PretrainDependencies, pretrain } from './pretraining/pretrain.js';
export { type InMemoryInput, type InMemoryOptions, pretrainInMemory } from './pretraining/pretrainInMemory.js';
export * from './pretraining/pretrainingData.js';
export {
  type PretrainingInput,
  type PretrainingSettings,
  pretrainingSchema,
  resolvePretrainingSettings,
} from './pretraining/settings.js';
export { createSpanBert, type SpanBertConfig } from './pretraining/spanbert.js';
export * from './random/philox.js';
export { describeSettings, type SettingDescription, settingsFromWords } from './settings/describeSettings.js';
export { Encoding, type TruncationStrategy } from './text/encoding.js';
export * from './text/tokenizer.js';
export { type TokenizerFiles, type TokenizerOverrides, tokenizerFromFiles } from './text/tokenizerFolder.js';
export { countUnknown, type UnknownCount, type UnknownWarning, unknownWarning } from './text/unknownTokens.js';
export * from './text/vocabularyTraining.js';
export { wordVocabulary } from './text/wordVocabulary.js';
export type {
  CheckpointStore,
  FoundCheckpoint,
  SavedCheckpoint,
  Snapshot,
} from './training/checkpoint.js';
export * from './training/events.js';
export type { Extension, NothingTrained } from './training/extension.js';
export { MemoryStore, type MemoryStoreOptions } from './training/memoryStore.js';
export * from './training/objective.js';
export type { TrainerProgress } from './training/progress.js';
export { type TrainerDependencies, train } from './training/trainer.js';
export { VERSION } from './version.js';
