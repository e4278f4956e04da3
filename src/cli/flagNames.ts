/** Settings as flags: how the messages of a command name them. */
import type { SettingWording } from '../settingNames.js';
import { shellQuoted } from './shellQuoted.js';

/** hiddenSize → hidden-size */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Settings whose flag has another name, in every command. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  lowercase: '--uncased',
  tokenizerDir: '--tokenizer',
  minPieces: '--pieces',
  maxPieces: '--pieces',
};

export interface FlagWordingOptions {
  /** Flags that one command calls otherwise, by setting: `{ masking: '--scheme' }`. */
  readonly flags?: Readonly<Record<string, string>>;
  /** A settings file, and what it alone gave: that is named as it stands there. */
  readonly file?: { readonly path: string; readonly settings: ReadonlySet<string> };
}

/** `learningRate` → `--learning-rate`, `model.hiddenSize` → `--model hiddenSize`. */
export function flagWording({ flags = {}, file }: FlagWordingOptions = {}): SettingWording {
  const flagOf = (setting: string) => flags[setting] ?? OTHER_NAMES[setting] ?? `--${kebabCase(setting)}`;
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
      return `${flag} ${shellQuoted(Array.isArray(value) ? value.join(',') : String(value))}`;
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
