/** What kind of processor this is, and how much faster oneDNN trains there: claims are measured ones, or none is made. */
import { readFileSync } from 'node:fs';

/** Instruction sets in which kinds of processors differ for this engine. */
export type ProcessorKind = 'amx' | 'zen-bf16' | 'avx512' | 'other';

/**
 * A training step of ELECTRA-small on this engine against ONNX Runtime, both with the same threads. `amx`: Sapphire
 * Rapids, bf16; `zen-bf16`: AMD Zen 4, bf16; `avx512`: either of them in fp32. docs/performance.md has the figures.
 */
const TIMES_AS_FAST: Readonly<Record<ProcessorKind, number | undefined>> = {
  amx: 3,
  'zen-bf16': 2,
  avx512: 1.3,
  other: undefined,
};

/**
 * The kind by the flags of the processor, as Linux lists them.
 * @param info  content of /proc/cpuinfo
 */
export function processorKind(info: string): ProcessorKind {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(info)?.[1].trim().split(/\s+/));
  if (flags.has('amx_bf16')) return 'amx';
  if (flags.has('avx512_bf16') && /^vendor_id\s*:\s*AuthenticAMD$/m.test(info)) return 'zen-bf16';
  return flags.has('avx512bw') && flags.has('avx512vl') && flags.has('avx512dq') ? 'avx512' : 'other';
}

/** The kind of this machine; `other` where it is unknown. */
export function thisProcessor(): ProcessorKind {
  try {
    return processorKind(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return 'other';
  }
}

const NAMES: Readonly<Record<ProcessorKind, string>> = {
  amx: 'with AMX',
  'zen-bf16': 'AMD with AVX512_BF16',
  avx512: 'with AVX-512',
  other: 'without AVX-512',
};

export function describeProcessor(kind: ProcessorKind): string {
  return NAMES[kind];
}

/** How many times as fast training is with oneDNN on a kind of processor; undefined where nobody has measured it. */
export function timesAsFast(kind: ProcessorKind): number | undefined {
  return TIMES_AS_FAST[kind];
}
