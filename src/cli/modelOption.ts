/** The option that names a model. */
import { SettingsError } from '../errors.js';
import type { OptionDefinition } from './command.js';

export const MODEL_OPTION: OptionDefinition = {
  flags: '--model <folder>',
  description: 'a run folder (its best checkpoint), a checkpoint, or a model folder',
};

export function modelFolder(word: string | boolean | undefined): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError(['--model is missing; expected a run folder or a model folder']);
}
