/** Dropout masks for the sites of a graph: the engine draws nothing. */
import type { Tensors } from '../engine/engine.js';
import { evaluateShape, multiplyDims } from '../graph/dimensions.js';
import { BATCH, type DropoutSite } from '../nn/layers.js';
import { RandomStream } from '../random/philox.js';
import { xoshiro128 } from '../random/xoshiro.js';
import type { DrawKey } from './objective.js';

/**
 * One mask a site, the same for the same row of the same step.
 * @param sizes  a value for every named size of the sites' shapes, which have the batch first
 */
export function dropoutFeeds(
  sites: readonly DropoutSite[],
  sizes: ReadonlyMap<string, number>,
  draw: DrawKey,
): Tensors {
  const rows = sizes.get(BATCH)!;
  return Object.fromEntries(
    sites.map((site, i) => {
      const shape = evaluateShape(site.shape, sizes);
      return [site.input, { dtype: 'bool', shape, data: drawMask(shape, site, { ...draw, rows, site: i }) }];
    }),
  );
}

/** Sites of a row that can be told apart. */
const MOST_SITES = 4096;

/** One random byte decides one element; each row has a stream of its own for each site. */
function drawMask(
  shape: readonly number[],
  { rate: { drop256 } }: DropoutSite,
  { seed, step, firstRow, rows, site }: DrawKey & { rows: number; site: number },
): Uint8Array {
  const mask = new Uint8Array(multiplyDims(...shape) as number);
  const perRow = mask.length / rows;
  const isWhole = perRow % 4 === 0;
  const own = new Uint32Array(isWhole ? 0 : Math.ceil(perRow / 4));
  for (let row = 0; row < rows; row++) {
    const stream = new RandomStream(seed, 'dropout', step, (firstRow + row) * MOST_SITES + site);
    const words = isWhole ? new Uint32Array(mask.buffer, row * perRow, perRow / 4) : own;
    xoshiro128(stream.block(), words);
    keepBytes(words, drop256);
    if (!isWhole) mask.set(new Uint8Array(own.buffer, 0, perRow), row * perRow);
  }
  return mask;
}

/**
 * Makes each byte 1 where it is at least `drop256`, else 0: four bytes at once. With its highest bit set a byte loses at
 * most 128 without borrowing from the next.
 * @param drop256  0 to 255
 */
export function keepBytes(words: Uint32Array, drop256: number): void {
  const isHigh = drop256 > 128;
  const lost = Math.imul(isHigh ? drop256 - 128 : drop256, 0x01010101);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    // Its highest bit: whether the lower seven bits of a byte are as many as are lost.
    const enough = ((word | 0x80808080) - lost) | 0;
    words[i] = ((isHigh ? word & enough : word | enough) & 0x80808080) >>> 7;
  }
}
