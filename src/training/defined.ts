/** Without the entries that are undefined, so that a line of a log holds what there is. */
export function defined<T extends object>(values: T): { [K in keyof T]: T[K] } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
