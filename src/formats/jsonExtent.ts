/**
 * How deep objects and arrays are nested in JSON text and how many objects there are, without parsing it. A parser turns a
 * hundred megabytes of brackets into many gigabytes of objects.
 */
export function jsonExtent(bytes: Uint8Array): { depth: number; objects: number } {
  let depth = 0;
  let deepest = 0;
  let objects = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      deepest = Math.max(deepest, ++depth);
      if (byte === OPEN_BRACE) objects++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return { depth: deepest, objects };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
