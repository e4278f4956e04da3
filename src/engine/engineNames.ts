/** The names by which an engine and a precision are asked for, and what does not go together. */

import { settingName } from '../settings/settingNames.js';
import type { EngineOptions } from './engine.js';

export const ENGINE_NAMES = ['auto', 'onnxruntime', 'onednn'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];
export const PRECISION_NAMES = ['auto', 'fp32', 'bf16'] as const;
export type PrecisionName = (typeof PRECISION_NAMES)[number];

export interface EngineWish extends EngineOptions {
  /** Default auto: onednn on a CPU where it is installed and measured to be faster, else onnxruntime. */
  readonly engine?: EngineName;
  /** Default auto: bf16 where the engine has it and a product is faster for it, else fp32. */
  readonly precision?: PrecisionName;
}

/** What of a wish contradicts itself, one sentence each. */
export function engineProblems({ engine = 'auto', device = 'cpu', precision = 'auto' }: EngineWish): string[] {
  const problems: string[] = [];
  if (engine === 'onednn' && device !== 'cpu')
    problems.push(
      `${settingName('engine')} "onednn" computes on the CPU, ${settingName('device')} is "${device}"; leave one of them out`,
    );
  if (precision === 'bf16' && engine === 'onnxruntime')
    problems.push(
      `${settingName('precision')} "bf16" needs ${settingName('engine')} "onednn", ${settingName('engine')} is "onnxruntime"`,
    );
  if (precision === 'bf16' && device !== 'cpu')
    problems.push(
      `${settingName('precision')} "bf16" needs ${settingName('engine')} "onednn", which computes on the CPU; ${settingName('device')} is "${device}"`,
    );
  return problems;
}
