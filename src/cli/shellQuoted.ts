/** Words as they are typed into a shell. */

const SAFE = /^[\w@%+=:,./~-]+$/;
/** Inside double quotes these mean something to a shell, as `!` does to an interactive one. */
const UNSAFE_IN_DOUBLE_QUOTES = /["$`\\!]/;

/** A word as a shell reads it back, quoted only where it must be. */
export function shellQuoted(word: string): string {
  if (SAFE.test(word)) return word;
  if (!UNSAFE_IN_DOUBLE_QUOTES.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A whole command, as it would be typed where this one was: `npx pleiad …` when npx runs us.
 * @param environment  npm says in it what it runs
 */
export function commandText(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = '' } = environment;
  const isNpx = event === 'npx' && /^["']?pleiad\b/.test(script);
  return [isNpx ? 'npx pleiad' : 'pleiad', ...words.map(shellQuoted)].join(' ');
}
