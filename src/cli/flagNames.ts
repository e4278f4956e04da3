/** Settings as flags: how the messages of a command name them. */

import { kebabCase } from '../settings/commandLine.js';
import type { SettingWording } from '../settings/settingNames.js';
import { shellQuoted } from './shellQuoted.js';

/** Settings whose flag has another name, in every command. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  lowercase: '--uncased',
  tokenizerDir: '--tokenizer',
  minPieces: '--pieces',
  maxPieces: '--pieces',
};

/** Settings that many commands meet in messages and few have a flag for: the command to give it to. */
const OWNERS: Readonly<Record<string, string>> = {
  config: 'convert',
  task: 'convert',
  newHead: 'convert',
  engine: 'pretrain',
  batchSize: 'pretrain',
  accumulation: 'pretrain',
  length: 'pretrain',
};

export interface FlagWordingOptions {
  /** Flags that the command has. Default: any. */
  readonly own?: ReadonlySet<string>;
  /** Flags that one command calls otherwise, by setting: `{ masking: '--scheme' }`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** A settings file, and what it alone gave: that is named as it stands there. */
  readonly file?: { readonly path: string; readonly settings: ReadonlySet<string> };
}

/** `learningRate` → `--learning-rate`, `model.hiddenSize` → `--model hiddenSize`. */
export function flagWording({ flags = {}, file, own }: FlagWordingOptions = {}): SettingWording {
  const flagOf = (setting: string) => {
    const flag = flags[setting] ?? OTHER_NAMES[setting] ?? `--${kebabCase(setting)}`;
    const isElsewhere = own && !own.has(flag) && OWNERS[setting] !== undefined;
    return isElsewhere ? `pleiad ${OWNERS[setting]} ${flag}` : flag;
  };
  const name = (setting: string) => {
    const [owner, field] = setting.split('.');
    if (file?.settings.has(owner)) return `${setting} (${file.path})`;
    return field === undefined ? flagOf(owner) : `${flagOf(owner)} ${field}`;
  };
  return {
    name,
    assignment(setting, value) {
      if (setting === 'lowercase') return value ? '--uncased' : '--cased';
      const flag = flagOf(setting);
      if (typeof value === 'boolean') return value ? flag : flag.replace('--', '--no-');
      const word = Array.isArray(value) ? value.join(',') : String(value);
      // Tasks are camelCase in the library alone.
      return `${flag} ${shellQuoted(setting === 'task' ? kebabCase(word) : word)}`;
    },
  };
}

/** A description in which settings stand between backticks, with the flags of these instead. */
export function withFlags(description: string, settings: ReadonlySet<string>): string {
  const { name } = flagWording();
  return description.replace(/`([a-z][A-Za-z0-9.]*)`/g, (all, setting: string) =>
    settings.has(setting.split('.')[0]) ? name(setting) : all,
  );
}
