/** What the Studio shows of a model: its parts and their sizes, what became of every tensor, and its tokenizer. */
import type { LoadReport } from '../checkpoint/loadReport.js';
import { encoderConfigToJson, expectedTensors, type ModelDescription } from '../checkpoint/modelFolder.js';
import { elementCount } from '../graph/dimensions.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';

/** Parameters of one part, such as the third layer. */
export interface ModelBlock {
  /** `embeddings`, `layer 0`, …, `head`. */
  readonly name: string;
  readonly parameters: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly parameters: number;
  }[];
}

export interface StudioInspection {
  readonly architecture: string;
  /** As config.json has it. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: number;
  readonly blocks: readonly ModelBlock[];
  /** Undefined of a model that was made here. */
  readonly report?: {
    readonly source: string;
    readonly format: string;
    readonly loaded: number;
    readonly converted: readonly { readonly name: string; readonly how: string }[];
    readonly tied: readonly { readonly name: string; readonly to: string; readonly same?: boolean }[];
    /** What the class needs and the files do not have: it would start at random. */
    readonly missing: readonly { readonly name: string; readonly shape: readonly number[] }[];
    readonly unused: readonly { readonly from: string; readonly why: string }[];
  };
  readonly tokenizer?: { readonly tokens: number; readonly lowercase: boolean };
}

/** What is read of a load report, which a plan has too. */
export type ReportParts = Pick<LoadReport, 'source' | 'format' | 'missing' | 'unused'> &
  Partial<Pick<LoadReport, 'loaded' | 'converted' | 'tied'>>;

export function inspectionOf(
  description: ModelDescription,
  report: ReportParts | undefined,
  tokenizer: WordPieceTokenizer | undefined,
): StudioInspection {
  const blocks = blocksOf(description);
  return {
    architecture: description.architecture,
    config: JSON.parse(JSON.stringify(encoderConfigToJson(description))),
    parameters: blocks.reduce((sum, { parameters }) => sum + parameters, 0),
    blocks,
    ...(report && { report: shownReport(report) }),
    ...(tokenizer && { tokenizer: { tokens: tokenizer.vocabSize, lowercase: tokenizer.settings.lowercase } }),
  };
}

function shownReport({ source, format, loaded = [], converted = [], tied = [], missing, unused }: ReportParts) {
  return {
    source,
    format,
    loaded: loaded.length,
    converted: converted.map(({ name, how }) => ({ name, how })),
    tied: tied.map(({ name, to, same }) => ({ name, to, ...(same !== undefined && { same }) })),
    missing: missing.map(({ name, shape }) => ({ name, shape })),
    unused: unused.map(({ from, why }) => ({ from, why })),
  };
}

function blocksOf(description: ModelDescription): ModelBlock[] {
  const blocks = new Map<string, ModelBlock['tensors'][number][]>();
  for (const [name, shape] of expectedTensors(description)) {
    const block = blockOf(name);
    const tensors = blocks.get(block) ?? [];
    tensors.push({ name, shape, parameters: elementCount(shape) });
    blocks.set(block, tensors);
  }
  return [...blocks].map(([name, tensors]) => ({
    name,
    parameters: tensors.reduce((sum, { parameters }) => sum + parameters, 0),
    tensors,
  }));
}

/** By the published names: `electra.encoder.layer.0.attention.self.query.weight`. */
function blockOf(name: string): string {
  const layer = /\.encoder\.layer\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `layer ${layer}`;
  if (/^(electra|bert)\.pooler\./.test(name)) return 'head';
  return /^(electra|bert)\./.test(name) ? 'embeddings' : 'head';
}
