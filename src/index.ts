/**
 * The library without a file system: what runs in a browser as well as in Node. `pleiad/node` adds what needs Node,
 * `pleiad/graph` is for models of your own. docs/api.md lists the names; a test holds this file to it.
 */

// Checkpoints
export { type LoadedModel, type LoadModelOptions, loadModel, type ModelLoadReport } from './checkpoint/loadModel.js';
export { type LoadPlan, type LoadTarget, planLoad } from './checkpoint/loadPlan.js';
export { describeLoadReport, type LoadReport } from './checkpoint/loadReport.js';
export { type LoadedTensor, runLoadPlan, type TensorKeeping } from './checkpoint/loadTensors.js';
export {
  encoderConfigToJson,
  expectedTensors,
  type ModelDescription,
  type PublishedDescription,
  parseConfigJson,
  parsePublishedConfig,
} from './checkpoint/modelFolder.js';
export type { ElectraHalf } from './checkpoint/nameMaps.js';
export { openTensorFile, openTensorFolder, PackedCheckpoint } from './checkpoint/openTensors.js';
export { TENSOR_FORMATS, type TensorFormat, type TensorInfo, TensorSource } from './checkpoint/tensorSource.js';
export { ALONE, type Collective, CollectiveError, PeerError, type PeerFailure } from './collective/collective.js';
export { memoryCollectives } from './collective/memoryCollective.js';
export { type BatchSettings, type BatchSource, type Blocks, createBatchSource } from './data/batches.js';
export { createMasking, MASKING_NAMES, type MaskingName, type MaskingSettings } from './data/masking/createMasking.js';
export { type MaskBatchSettings, maskBatch } from './data/masking/maskBatch.js';
export { mixedMasking } from './data/masking/mixture.js';
export { BERT_MASKING, type RandomMaskingSettings, randomMasking } from './data/masking/random.js';
export type { MaskedBlock, MaskingBlock, MaskingScheme, SpanDraws } from './data/masking/scheme.js';
export { type GeometricLengthSettings, type SpanMaskingSettings, spanMasking } from './data/masking/span.js';
export { MaskCounter, type MaskStatistics } from './data/masking/statistics.js';
export { type TaggedMaskingSettings, taggedMasking } from './data/masking/tagged.js';
export { type TokenDraw, uniformTokens, unigramTokens } from './data/masking/tokenDraw.js';
export { type UniformSpanSettings, uniformSpanMasking } from './data/masking/uniformSpan.js';
export { wholeWordMasking } from './data/masking/wholeWord.js';
export {
  countTokens,
  memoryShards,
  memoryTags,
  type Shards,
  type SpecialIds,
  type SplitName,
  type SplitTags,
  type TokenDocument,
  type TokenSplit,
} from './data/shards.js';
export { type TagKind, type TagSpan, tokenSpans, writeTags } from './data/tags.js';
// Data
export { type TextShardsOptions, textShards } from './data/textShards.js';
// Engines
export type {
  Engine,
  EngineOptions,
  EngineState,
  Precision,
  Program,
  StateLayout,
  Tensor,
  Tensors,
} from './engine/engine.js';
export { EngineError } from './engine/engineError.js';
export { ENGINE_NAMES, type EngineName, PRECISION_NAMES, type PrecisionName } from './engine/engineNames.js';
export { createInterpreterEngine } from './engine/interpreterEngine.js';
export { createWebEngine, type WebEngineOptions } from './engine/onnxruntime/webEngine.js';
// Errors
export {
  CheckpointError,
  DataError,
  FolderInUseError,
  PleiadError,
  SettingsError,
  WriteError,
} from './errors/errors.js';
export { type ByteSource, blobSource, type FileSet, fileSetOf, memorySource } from './files/byteSource.js';
export { unpackTar, unpackZip } from './formats/archive/unpack.js';
export type { UnpackLimits, UnpackTarget } from './formats/archive/unpacking.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsDtype,
  type SafetensorsTensor,
  type TensorData,
} from './formats/safetensors.js';
export {
  ARCHITECTURES,
  type Architecture,
  type EncoderConfig,
  encoderConfig,
  generatorConfig,
  SIZES,
  type SizeName,
} from './models/config.js';
export { TASKS, type Task } from './models/heads.js';
export { SPAN_BOUNDARY_DEFAULTS, type SpanBoundaryConfig } from './models/spanbert.js';
export type { Answer, QuestionAnsweringOptions, QuestionInput } from './pipelines/answers.js';
// Pipelines
export { createPipeline, type LoadedPipeline, type PipelineHandle } from './pipelines/createPipeline.js';
export type {
  Pipeline,
  PipelineCall,
  PipelineProgress,
  PipelineRun,
  PipelineTypes,
  RankedCall,
  RowWatch,
  WantedModels,
  WorkOptions,
} from './pipelines/definition.js';
export type { FeatureExtractionOptions, Features } from './pipelines/featureExtraction.js';
// Pipelines that say more
export {
  type FilledMask,
  type FillMaskOptions,
  type FillMaskResult,
  fillMask,
  type JointFilling,
  type MaskCandidate,
  type MaskFiller,
} from './pipelines/fillMask.js';
export type { FillMaskCandidate, FillMasksOutput } from './pipelines/fillMaskPipeline.js';
export {
  type FillSpanOptions,
  type FillSpanResult,
  fillSpan,
  type ScoredPiece,
  SPAN_JUDGES,
  type SpanFiller,
  type SpanFilling,
  type SpanJudge,
  type SpanScore,
  type SpanScores,
} from './pipelines/fillSpan.js';
export type { FillSpanOutput } from './pipelines/fillSpanPipeline.js';
export type { ChoiceInput, MultipleChoiceOptions, RankedChoice } from './pipelines/multipleChoice.js';
export type { Pooling } from './pipelines/pooling.js';
export type { Calibration } from './pipelines/proofread/calibration.js';
export type { Proposal } from './pipelines/proofread/evidence.js';
export {
  type DoubtfulWord,
  type JudgedWord,
  type Proofreader,
  type ProofreadOptions,
  proofread,
} from './pipelines/proofread/proofread.js';
export { PIPELINES, type PipelineName, type PipelineTask, pipelineNamed, type TypesOf } from './pipelines/registry.js';
export type { RelationInput, RelationOptions } from './pipelines/relation.js';
export {
  type DetectedToken,
  type ReplacedTokenDetector,
  replacedTokenDetection,
} from './pipelines/replacedTokenDetection.js';
export type { SentenceSimilarityOptions, SentencesInput } from './pipelines/sentenceSimilarity.js';
export {
  type MaskingInput,
  type MaskStatisticsOptions,
  maskStatistics,
  type ShowMaskOptions,
  type ShownMask,
  type ShownSpan,
  type ShownToken,
  showMask,
} from './pipelines/showMask.js';
export { type SnapshotPipelineName, snapshotPipeline } from './pipelines/snapshotPipeline.js';
export type { ScoredLabel, TextClassificationOptions } from './pipelines/textClassification.js';
export {
  type CorruptedPlace,
  type CorruptedText,
  type CorruptionOptions,
  type CorruptionUnit,
  type Replacement,
  type TextCorrupter,
  textCorruption,
} from './pipelines/textCorruption.js';
export type { TextPair } from './pipelines/textInput.js';
export type { Aggregation } from './pipelines/tokenAggregation.js';
export type { TaggedSpan, TokenClassificationOptions } from './pipelines/tokenClassification.js';
export type { ZeroShotLabels, ZeroShotOptions, ZeroShotResult } from './pipelines/zeroShotClassification.js';
export { onnxModelOf } from './pretrained/exportOnnx.js';
// Models
export {
  type BatchOptions,
  Model,
  type ModelInputs,
  type ModelOutputs,
  type ModelParts,
  type ModelRow,
  type OutputName,
  type RowOptions,
  type RowOutputs,
  type RowSpan,
  type Rows,
  type RunOptions,
  type TokenSpan,
} from './pretrained/model.js';
export { createElectra, type ElectraName } from './pretraining/electra.js';
export type { ElectraConfig } from './pretraining/electraGraph.js';
export { type ExplainedSetting, explainSettings } from './pretraining/explainSettings.js';
export { createMaskedLm, type MaskedLmConfig } from './pretraining/maskedLm.js';
export type { HeldOutMetrics, LossMetrics } from './pretraining/metrics.js';
export { modelConfigs } from './pretraining/modelConfigs.js';
export { objectiveOf } from './pretraining/objectiveOf.js';
export { PRETRAINING_OBJECTIVES, type PretrainingObjectiveName } from './pretraining/objectives.js';
export { type PretrainDependencies, pretrain } from './pretraining/pretrain.js';
// Training
export { type InMemoryInput, type InMemoryOptions, pretrainInMemory } from './pretraining/pretrainInMemory.js';
export { heldOutData, trainingData } from './pretraining/pretrainingData.js';
export {
  type PretrainingInput,
  type PretrainingSettings,
  pretrainingSchema,
  resolvePretrainingSettings,
} from './pretraining/settings.js';
export { createSpanBert, type SpanBertConfig } from './pretraining/spanbert.js';
export { describeSettings, type SettingDescription, settingsFromWords } from './settings/describeSettings.js';
// Metrics
export {
  type JudgedQuestion,
  korquadScores,
  type OfficialScores,
  type PredictedAnswers,
  type Squad20Options,
  squad11Scores,
  squad20Scores,
} from './tasks/questionAnswering/metrics/officialScores.js';
export { reportPage } from './tasks/report/html/page.js';
export type { ReportExample, ReportSection, TaskReport } from './tasks/report/report.js';
export { Encoding, type TruncationStrategy } from './text/encoding.js';
// Text
export {
  type AddedToken,
  type AddedTokenInput,
  DEFAULT_NORMALIZATION,
  type EncodeOptions,
  type NormalizationSettings,
  PieceBuffer,
  PUBLISHED_NORMALIZATION,
  type SpecialTokens,
  type TokenizedText,
  type TokenizedTexts,
  type TokenizeOptions,
  type TokenizerOptions,
  type TokenizerSettings,
  WordPieceTokenizer,
} from './text/tokenizer.js';
export { type TokenizerFiles, type TokenizerOverrides, tokenizerFromFiles } from './text/tokenizerFolder.js';
export { countUnknown, type UnknownCount, type UnknownWarning, unknownWarning } from './text/unknownTokens.js';
export { type VocabularyOptions, VocabularyTrainer } from './text/vocabularyTraining.js';
export { wordVocabulary } from './text/wordVocabulary.js';
export type { CheckpointStore, FoundCheckpoint, SavedCheckpoint, Snapshot } from './training/checkpoint.js';
export type {
  CheckpointEvent,
  DoneEvent,
  EvaluationEvent,
  ExtendedEvent,
  ForecastEvent,
  LoadedEvent,
  PhaseEvent,
  PlannedEvent,
  StartedEvent,
  StepEvent,
  StepSplit,
  TrainingEvent,
  WarningCode,
  WarningEvent,
} from './training/events.js';
export type { Extension, NothingTrained } from './training/extension.js';
export { MemoryStore, type MemoryStoreOptions } from './training/memoryStore.js';
export {
  addCounts,
  average,
  type DrawKey,
  type Initializer,
  type LossCounts,
  type LossSpec,
  type LossTotals,
  lossMetrics,
  type Metrics,
  type ModelExport,
  type Objective,
  type ParameterSpec,
  type Phase,
  type TokenBatch,
  totalLoss,
} from './training/objective.js';
export type { TrainerProgress } from './training/progress.js';
export { type TrainerDependencies, train } from './training/trainer.js';

// Version
export { VERSION } from './version.js';
