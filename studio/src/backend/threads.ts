/** How many threads a tab may compute with. */

/** More threads than this bring little for short sentences and take memory each. */
const MOST_THREADS = 4;

/** Several threads share memory, which a page may do only behind two headers: cross-origin isolation. */
export function isIsolated(): boolean {
  return globalThis.crossOriginIsolated === true;
}

export function usableThreads(): number {
  return isIsolated() ? Math.max(1, Math.min(MOST_THREADS, globalThis.navigator?.hardwareConcurrency ?? 1)) : 1;
}
