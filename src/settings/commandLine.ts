/** Settings as the words of a command, for advice that can be typed. */

/** hiddenSize → hidden-size */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** A text as a shell reads it as one word. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `pleiad NAME --flag value …`, in the order of the settings; those that are undefined or empty are left out. */
export function commandLine(name: string, settings: object): string {
  return ['pleiad', name, ...Object.entries(settings).flatMap(([setting, value]) => flagOf(setting, value))].join(' ');
}

function flagOf(setting: string, value: unknown): string[] {
  const flag = `--${kebabCase(setting)}`;
  if (value === undefined) return [];
  if (value === true) return [flag];
  if (value === false) return [`--no-${kebabCase(setting)}`];
  if (Array.isArray(value)) return [flag, shellWord(value.join(','))];
  if (typeof value !== 'object' || value === null) return [flag, shellWord(String(value))];
  const fields = Object.entries(value).map(([field, of]) => `${field}=${of}`);
  return fields.length === 0 ? [] : [flag, shellWord(fields.join(','))];
}
