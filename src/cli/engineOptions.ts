/** The options of commands that run a model. */
import type { EngineOptions } from '../engine/engine.js';
import {
  ENGINE_NAMES,
  type EngineName,
  type EngineWish,
  engineProblems,
  PRECISION_NAMES,
  type PrecisionName,
} from '../engine/engineNames.js';
import { SettingsError } from '../errors/errors.js';
import type { OptionDefinition, OptionValues } from './command.js';
import { wholeNumber } from './numbers.js';

export const ENGINE_OPTIONS: readonly OptionDefinition[] = [
  {
    flags: '--device <name>',
    description: 'where to compute; cuda and webgpu were never run by the authors. Default cpu.',
    choices: ['cpu', 'cuda', 'webgpu'],
  },
  {
    flags: '--engine <name>',
    description: 'what computes; auto takes the fastest that is installed. Default auto.',
    choices: ENGINE_NAMES,
  },
  {
    flags: '--precision <name>',
    description: 'of the operands of matrix products; bf16 needs engine onednn. Default auto.',
    choices: PRECISION_NAMES,
  },
  { flags: '--threads <number>', description: 'threads of the engine. Default: all of the machine.' },
];

/** @throws SettingsError for options that contradict each other */
export function engineOptions(options: OptionValues): EngineWish {
  const wish: EngineWish = {
    device: options.device as EngineOptions['device'],
    engine: options.engine as EngineName | undefined,
    precision: options.precision as PrecisionName | undefined,
    threads: wholeNumber('--threads', options.threads, 1),
  };
  const problems = engineProblems(wish);
  if (problems.length) throw new SettingsError(problems);
  return wish;
}
