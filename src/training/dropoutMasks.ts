/** Dropout masks for the sites of a graph: the engine draws nothing. */
import type { Tensors } from '../engine/engine.js';
import { evaluateShape, multiplyDims } from '../graph/dimensions.js';
import { BATCH, type DropoutSite } from '../nn/layers.js';
import { RandomStream } from '../random/philox.js';
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
  for (let row = 0; row < rows; row++) {
    const stream = new RandomStream(seed, 'dropout', step, (firstRow + row) * MOST_SITES + site);
    const end = (row + 1) * perRow;
    for (let i = row * perRow; i < end; ) {
      for (let word = stream.uint32(), byte = 0; byte < 4 && i < end; byte++, i++, word >>>= 8) {
        mask[i] = (word & 0xff) >= drop256 ? 1 : 0;
      }
    }
  }
  return mask;
}
