/**
 * Where the script of a worker thread is: beside the caller, compiled. Run from its TypeScript source (by the test
 * runner), a caller lies in `src/` and its worker in `dist/src/`, since Node cannot load the source.
 * @param relative path of the compiled script, relative to the caller, for instance "./nodeWorker.js"
 * @param base     the caller's `import.meta.url`
 */
export function workerUrl(relative: string, base: string): URL {
  const url = new URL(relative, base);
  if (base.endsWith('.ts')) url.pathname = url.pathname.replace(/\/src\/(?!.*\/src\/)/, '/dist/src/');
  return url;
}
