/** One digest for all weights of a model: equal weights, equal digest, wherever and in whatever order they are kept. */

export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * SHA-256 over one line a parameter in the order of their names: name, shape and the SHA-256 of its little-endian
 * float32 bytes, tabs between. A digest of digests, because the platform's digest takes whole buffers and a copy of all
 * weights in one buffer would cost as much memory as the weights.
 * @returns  hexadecimal
 */
export async function weightsSha256(parameters: ReadonlyMap<string, NamedArray>): Promise<string> {
  const lines: string[] = [];
  for (const name of [...parameters.keys()].sort()) {
    const { shape, data } = parameters.get(name)!;
    lines.push(
      `${name}\t${shape.join(',')}\t${await sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}\n`,
    );
  }
  return sha256(new TextEncoder().encode(lines.join('')));
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
