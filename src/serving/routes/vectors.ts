/** Vectors as routes give them: fewer dimensions where that is asked, numbers or base64. */
import { unitVector } from '../../pipelines/pooling.js';

/** The first dimensions; scaled to length 1 again where the whole was. As TEI and OpenAI shorten (Matryoshka). */
export function shortened(vector: Float32Array, dimensions: number | undefined, isUnit: boolean): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector;
  const first = vector.slice(0, dimensions);
  return isUnit ? unitVector(first) : first;
}

export function numbersOf(vector: Float32Array): number[] {
  return Array.from(vector);
}

/** Little-endian float32, as OpenAI's clients ask for. */
export function base64Of(vector: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(4 * vector.length));
  for (const [i, value] of vector.entries()) bytes.setFloat32(4 * i, value, true);
  let binary = '';
  for (let i = 0; i < bytes.byteLength; i++) binary += String.fromCharCode(bytes.getUint8(i));
  return btoa(binary);
}
