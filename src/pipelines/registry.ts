/** The one table of pipelines. Adding one is a file and a line here. */
import { SettingsError } from '../errors/errors.js';
import type { Pipeline } from './definition.js';
import { featureExtraction } from './featureExtraction.js';
import { fillMaskPipeline } from './fillMaskPipeline.js';
import { fillSpanPipeline } from './fillSpanPipeline.js';
import { multipleChoice } from './multipleChoice.js';
import { proofreadPipeline } from './proofread/pipeline.js';
import { questionAnswering } from './questionAnswering.js';
import { relation } from './relation.js';
import { replacedTokenDetectionPipeline } from './replacedTokenDetectionPipeline.js';
import { sentenceSimilarity } from './sentenceSimilarity.js';
import { textClassification } from './textClassification.js';
import { tokenClassification } from './tokenClassification.js';
import { zeroShotClassification } from './zeroShotClassification.js';

export const PIPELINES = {
  'fill-mask': fillMaskPipeline,
  'replaced-token-detection': replacedTokenDetectionPipeline,
  'fill-span': fillSpanPipeline,
  proofread: proofreadPipeline,
  'question-answering': questionAnswering,
  'text-classification': textClassification,
  'zero-shot-classification': zeroShotClassification,
  'sentence-similarity': sentenceSimilarity,
  'token-classification': tokenClassification,
  'multiple-choice': multipleChoice,
  relation,
  'feature-extraction': featureExtraction,
} as const;

export type PipelineName = keyof typeof PIPELINES;

type AllTypes = { [Name in PipelineName]: NonNullable<(typeof PIPELINES)[Name]['types']> };

/** A pipeline's name, or another one that it goes by. */
export type PipelineTask = PipelineName | AllTypes[PipelineName]['alias'];

type NameOf<Task extends PipelineTask> = Task extends PipelineName
  ? Task
  : { [Name in PipelineName]: Task extends AllTypes[Name]['alias'] ? Name : never }[PipelineName];

/** The types of a pipeline, by its name. */
export type TypesOf<Task extends PipelineTask> = AllTypes[NameOf<Task>];

/** @throws SettingsError naming the pipelines that there are */
export function pipelineNamed(name: string): Pipeline {
  const all = Object.values(PIPELINES) as unknown as Pipeline[];
  const found = all.find((pipeline) => pipeline.name === name || pipeline.aliases.includes(name));
  if (found) return found;
  throw new SettingsError([
    `there is no pipeline ${JSON.stringify(name)}; expected ${all.map((pipeline) => pipeline.name).join(', ')}`,
  ]);
}
