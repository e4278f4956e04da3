/** The JSON of a request, of which never more is read than is allowed. */
import { badRequest, emptyRequest, tooLarge } from './servingErrors.js';

/**
 * @param most  bytes
 * @throws RequestError 413 for more, 400 for what is not JSON
 */
export async function readJson(request: Request, most: number): Promise<unknown> {
  const text = await readText(request, most);
  if (text.trim() === '') throw emptyRequest('the body is empty; expected JSON');
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('the body is not JSON');
  }
}

async function readText(request: Request, most: number): Promise<string> {
  const announced = request.headers.get('content-length');
  if (announced !== null) {
    // The length is what the server's parser then holds the client to.
    if (Number(announced) > most) throw tooLarge(`the body has ${announced} bytes; at most ${most} are taken`);
    return request.text();
  }
  if (!request.body) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > most) throw tooLarge(`the body has more than ${most} bytes`);
    parts.push(part);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return new TextDecoder().decode(all);
}
