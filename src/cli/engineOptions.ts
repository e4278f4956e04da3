/** The options of commands that run a model. */
import type { NodeEngineOptions } from '../engine/onnxruntime/nodeEngine.js';
import type { OptionDefinition, OptionValues } from './command.js';
import { wholeNumber } from './numbers.js';

export const ENGINE_OPTIONS: readonly OptionDefinition[] = [
  { flags: '--device <name>', description: 'where to compute. Default cpu.', choices: ['cpu', 'cuda', 'webgpu'] },
  { flags: '--threads <number>', description: 'threads of the engine. Default: all of the machine.' },
];

export function engineOptions(options: OptionValues): NodeEngineOptions {
  return {
    device: options.device as NodeEngineOptions['device'],
    threads: wholeNumber('--threads', options.threads, 1),
  };
}
