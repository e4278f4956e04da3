/** What the browser remembers for a reader: language and theme. Storage may be refused, as in a page opened from disk. */

export function storedValue(key: string): string | undefined {
  try {
    return localStorage.getItem(`pleiad.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function storeValue(key: string, value: string): void {
  try {
    localStorage.setItem(`pleiad.${key}`, value);
  } catch {
    // The choice then holds until the page is closed.
  }
}
