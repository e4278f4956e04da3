/** Everything of `pleiad`, and what needs Node: files, worker threads, native engines. docs/api.md lists the names. */

// Files
export { loadModelFolder, type ModelFolder, type ModelTensor, saveModelFolder } from './checkpoint/modelFolder.node.js';
export { type OpenTensorsOptions, openTensors } from './checkpoint/openTensors.node.js';
export { checkpointOf, type RunFile, readRunFile } from './checkpoint/runFile.node.js';
export { unpackArchive } from './checkpoint/unpackArchive.node.js';
export {
  type OutgoingTensor,
  type WeightFilesOptions,
  type WrittenWeights,
  writeWeightFiles,
} from './checkpoint/weightFiles.node.js';
export { type ConnectOptions, connectRanks } from './collective/mpi/connect.node.js';
export { type MergeResult, mergeParts } from './data/prepare/parts.node.js';
export { type PrepareResult, prepareCorpus } from './data/prepare/prepareCorpus.node.js';
export type { PrepareProgress } from './data/prepare/progress.js';
export type { PrepareSettings } from './data/prepare/settings.node.js';
export { isHeldOut } from './data/prepare/tokenizeUnit.js';
// Corpora
export {
  type TrainedVocabulary,
  type TrainVocabularySettings,
  trainVocabulary,
  type VocabularyCharacters,
  type VocabularyProgress,
} from './data/prepare/trainVocabulary.node.js';
export { openShards, type ShardFolder } from './data/shards.node.js';
export { readTable } from './data/tables/readTable.node.js';
export { type DocumentToTag, withTagFile, writeTagFile } from './data/tagFile.node.js';
// Engines
export { chooseEngine, createEngine, type EngineChoice, type EngineChoiceOptions } from './engine/chooseEngine.node.js';
export {
  createOneDnnEngine,
  OneDnnEngine,
  type OneDnnEngineOptions,
  OneDnnMissing,
} from './engine/onednn/engine.node.js';
export { OnnxRuntimeMissing } from './engine/onnxruntime/loadRuntime.node.js';
export { createNodeEngine, type NodeEngineOptions } from './engine/onnxruntime/nodeEngine.node.js';
export { folderFiles, openFileSource } from './files/byteSource.node.js';
export { SafetensorsFile, writeSafetensors } from './formats/safetensors.node.js';
export type { HubEvent, HubListener } from './hub/events.js';
// Hub
export { type FetchedModel, type FetchModelOptions, fetchModel } from './hub/fetchModel.node.js';
export { HubError, type HubProblem } from './hub/hubError.js';
export type { ModelFiles, WeightFormat } from './hub/modelFiles.js';
export { type BoxedModel, boxedModels } from './hub/modelsPackage.node.js';
export type { HubOptions } from './hub/settings.node.js';
export * from './index.js';
export {
  type LoadOptions,
  loadFillMask,
  loadFillSpan,
  loadModelFor,
  loadReplacedTokenDetection,
  loadTextCorruption,
} from './pipelines/load.node.js';
// Pipelines
export { type PipelineOptions, pipeline } from './pipelines/pipeline.node.js';
// Models by name
export {
  AutoModel,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForPreTraining,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  BertForMaskedLM,
  BertForMultipleChoice,
  BertForPreTraining,
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertModel,
  BertTokenizer,
  ElectraForMaskedLM,
  ElectraForMultipleChoice,
  ElectraForPreTraining,
  ElectraForQuestionAnswering,
  ElectraForSequenceClassification,
  ElectraForTokenClassification,
  ElectraModel,
  ElectraTokenizer,
  type NamedClass,
} from './pretrained/autoModels.node.js';
export {
  type Conversion,
  type ConvertOptions,
  convertModel,
  convertPair,
  type PairConversion,
} from './pretrained/convert.node.js';
export {
  type ExportOptions,
  type ExportResult,
  exportModel,
  type QuantizationChoice,
  type QuantizationResult,
} from './pretrained/exportModel.node.js';
export type { OutputDifference } from './pretrained/exportOnnx.js';
export {
  type Inspection,
  type InspectOptions,
  inspectModels,
  type LicenceNote,
  type TokenizerInspection,
} from './pretrained/inspectModel.node.js';
export { inspectOnnx, type OnnxFileInspection, type OnnxInspection } from './pretrained/inspectOnnx.node.js';
export type { ModelRole } from './pretrained/modelPlaces.node.js';
export type { OnnxModelOptions } from './pretrained/onnxModel.node.js';
export type { OpenPretrainedOptions } from './pretrained/openPretrained.node.js';
export {
  type FetchOptions,
  type FromPretrainedOptions,
  fromPretrained,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
  PretrainedModel,
  type StoredDtype,
  tokenizerFromPretrained,
  type WantedModel,
  type WeightDtype,
} from './pretrained/pretrained.node.js';
// Convert, export, inspect
export { type PruneLoss, type PruneModelOptions, type PruneResult, pruneModel } from './pretrained/pruneModel.node.js';
export { evaluateCheckpoint, type RunEvaluation } from './pretraining/evaluateRun.node.js';
// Training to a folder
export { type PretrainOptions, pretrainToFolder } from './pretraining/loadStart.node.js';
// Serving
export { type ServingSettings, servingSettingsSchema } from './serving/servingSettings.js';
export { type RunningServer, type ServeOptions, startServer } from './serving/startServer.node.js';
export { type SharedPage, type SharePageOptions, sharePage } from './studio/sharePage.node.js';
export { type CheckTaskOptions, checkTask, type RunEstimate, type TaskCheck } from './tasks/checkTask.node.js';
export {
  evaluateModel,
  evaluatePredictions,
  type ModelEvaluationOptions,
  type PredictionFiles,
} from './tasks/evaluateTask.node.js';
export { type FineTuneOptions, finetune } from './tasks/finetune.node.js';
export { finetuneTrials, type TrialEvent, type TrialStartedEvent, type TrialsEvent } from './tasks/trials.node.js';
export { loadTokenizer, saveTokenizer } from './text/tokenizer.node.js';
