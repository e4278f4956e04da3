/** A list in a message: its first entries, and how many more there are. `separator` is ", " or "; ". */
export function joinFirst(entries: readonly string[], most: number, separator: ', ' | '; ' = ', '): string {
  const shown = entries.slice(0, most).join(separator);
  const more = entries.length - most;
  if (more <= 0) return shown;
  return `${shown}${separator === ', ' ? ' ' : separator}and ${more} more`;
}
