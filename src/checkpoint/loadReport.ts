/** What a load did, in which every tensor of the file and of the model occurs. */
import type { LoadPlan, TiedTensor } from './loadPlan.js';
import type { TensorFormat } from './tensorSource.js';

/** What became of every tensor; nothing is left out. */
export interface LoadReport {
  readonly source: string;
  readonly format: TensorFormat;
  readonly target: string;
  /** Taken as they are; `from` is their name in the file. */
  readonly loaded: readonly { readonly name: string; readonly from: string }[];
  /** Transposed or of another dtype in the file; exact, except from F64. Matrices in 8 bits are multiplied by their scales. */
  readonly converted: readonly { readonly name: string; readonly from: string; readonly how: string }[];
  /** Those of `converted` that the file holds in 8 bits: the model was rounded to them when it was written. */
  readonly eightBit: readonly string[];
  /** `same`: whether the file's own values were those it is tied to; undefined where the file has none. */
  readonly tied: readonly (TiedTensor & { readonly same?: boolean })[];
  readonly missing: LoadPlan['missing'];
  readonly unused: LoadPlan['unused'];
}

/**
 * The report as lines for people: a line of counts, then what deserves attention.
 * @param limit  names shown of each kind
 */
export function describeLoadReport(report: LoadReport, limit = 20): string[] {
  const { loaded, converted, eightBit, tied, missing, unused } = report;
  const differing = tied.filter(({ same }) => same === false);
  return [
    `${report.source} (${report.format}) as ${report.target}: ${loaded.length} loaded, ${converted.length} converted, ` +
      `${tied.length} tied, ${missing.length} missing, ${unused.length} unused`,
    ...(eightBit.length > 0 ? [`  8 bits: ${eightBit.length} matrices are int8 in the file, read as float32`] : []),
    ...listed(
      'missing',
      missing.map(({ name, shape }) => `${name} [${shape}]`),
      limit,
    ),
    ...listed(
      'tied, but different in the file',
      differing.map(({ name, to }) => `${name} is taken from ${to}`),
      limit,
    ),
    ...grouped(unused, limit),
  ];
}

function listed(title: string, lines: readonly string[], limit: number): string[] {
  const more = lines.length - limit;
  return [
    ...lines.slice(0, limit).map((line) => `  ${title}: ${line}`),
    ...(more > 0 ? [`  ${title}: ${more} more`] : []),
  ];
}

/** Unused tensors by reason: an optimizer's moments are one line, not six hundred. */
function grouped(unused: LoadReport['unused'], limit: number): string[] {
  const groups = new Map<string, string[]>();
  for (const { from, why } of unused) groups.set(why, [...(groups.get(why) ?? []), from]);
  return [...groups].flatMap(([why, names]) =>
    names.length > limit
      ? [`  unused, ${why}: ${names.length} tensors (${names.slice(0, 3).join(', ')}, …)`]
      : names.map((name) => `  unused, ${why}: ${name}`),
  );
}
