/** A file with a bar of progress. */

/**
 * @param onBytes  told the bytes that came, and how many there are where the server says
 * @throws Error with the status of any answer but a file
 */
export async function fetchWatched(
  url: URL,
  onBytes: (loaded: number, total: number | undefined) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url.pathname} answers ${response.status}`);
  // Of a compressed answer the length is another one than that of what comes out.
  const length = response.headers.has('content-encoding') ? undefined : response.headers.get('content-length');
  const total = length ? Number(length) : undefined;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onBytes(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
