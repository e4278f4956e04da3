/** The JSON of a request, of which never more is read than is allowed. */
import { badRequest, emptyRequest, tooLarge } from './servingErrors.js';

/**
 * @param most  bytes
 * @throws RequestError 413 for more, 400 for what is not JSON
 */
export async function readJson(request: Request, most: number): Promise<unknown> {
  const text = await readText(request, most);
  if (text.trim() === '') throw emptyRequest('the body is empty; expected JSON');
  if (depthOf(text) > MOST_DEPTH) throw badRequest(`the body is nested more than ${MOST_DEPTH} deep`);
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('the body is not JSON');
  }
}

/** Deeper than any route goes: a body of brackets alone would exhaust the stack of whatever walks over it. */
const MOST_DEPTH = 32;

const [QUOTE, BACKSLASH] = [34, 92];
/** [ and {, ] and }. */
const [OPENING, CLOSING] = [new Set([91, 123]), new Set([93, 125])];

/** How deep a JSON text is nested, brackets within strings not counted. */
function depthOf(text: string): number {
  let [depth, deepest, isString] = [0, 0, false];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isString && code === BACKSLASH) i++;
    else if (code === QUOTE) isString = !isString;
    else if (isString) continue;
    else if (OPENING.has(code)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(code)) depth--;
  }
  return deepest;
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
