/** bf16: the upper half of a float32, rounded to nearest, ties to even. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

export function toBfloat16(value: number): number {
  float[0] = value;
  const [pattern] = bits;
  // A NaN whose payload is in the lower half must not become an infinity.
  if (Number.isNaN(value)) return (pattern >>> 16) | 0x40;
  return (pattern + 0x7fff + ((pattern >>> 16) & 1)) >>> 16;
}

/** `from` as bf16 in `to`. A loop: `Uint16Array.from` goes through a list of boxed numbers, forty times slower. */
export function roundToBfloat16(from: Float32Array, to: Uint16Array): void {
  for (let i = 0; i < from.length; i++) to[i] = toBfloat16(from[i]);
}

export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return float[0];
}
