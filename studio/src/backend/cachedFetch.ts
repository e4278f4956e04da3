/** Files of the site's models: from the browser's Cache Storage where they are there, else from the site, and then kept. */
import type { FetchFile } from '../../../src/studio/fetchedModels.js';
import { fetchWatched } from './fetchWatched.js';

const CACHE = 'pleiad-models';

/** @param site  address that paths are below */
export function cachedFetch(site: string): FetchFile {
  return async (path, { version, onBytes }) => {
    const url = new URL(path, site);
    if (version !== undefined) url.searchParams.set('v', version);
    const cache = await openCache();
    const kept = await cache?.match(url.href);
    if (kept) {
      const blob = await kept.blob();
      onBytes(blob.size);
      return blob;
    }
    const bytes = await fetchWatched(url, onBytes);
    await keep(cache, url, bytes);
    return bytes;
  };
}

/** Undefined where the browser has none: a page that came by plain http from another machine, or private browsing. */
async function openCache(): Promise<Cache | undefined> {
  return globalThis.caches?.open(CACHE).catch(() => undefined);
}

/** Keeps a file in place of its other versions; a full disk is no reason to fail. */
async function keep(cache: Cache | undefined, url: URL, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await cache?.delete(url.href, { ignoreSearch: true });
    await cache?.put(url.href, new Response(bytes));
  } catch {
    // It is fetched again next time.
  }
}
