/** How many threads the library computes with: its OpenMP runtime is asked, whichever it is. */
import type { OneDnnLibrary } from './load.node.js';

/** @returns what the user should know, if anything */
export function setThreads({ library, path }: OneDnnLibrary, threads: number): string[] {
  try {
    // The loader looks for a name in the library's own dependencies too, and finds the OpenMP that it was built with.
    library.func('omp_set_num_threads', 'void', ['int'])(threads);
    return [];
  } catch {
    return [`${path} was not built with OpenMP; its number of threads is its own choice, not ${threads}`];
  }
}
