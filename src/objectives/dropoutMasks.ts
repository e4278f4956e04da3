/** Dropout masks for the sites of a graph: the engine draws nothing. */
import type { Tensors } from '../engine/engine.js';
import { evaluateShape, multiplyDims } from '../graph/dimensions.js';
import type { DropoutSite } from '../nn/layers.js';
import { RandomStream } from '../random/philox.js';
import type { DrawKey } from './objective.js';

/**
 * One mask a site, the same for the same key.
 * @param sizes  a value for every named size of the sites' shapes
 */
export function dropoutFeeds(
  sites: readonly DropoutSite[],
  sizes: ReadonlyMap<string, number>,
  draw: DrawKey,
): Tensors {
  return Object.fromEntries(
    sites.map((site, i) => {
      const shape = evaluateShape(site.shape, sizes);
      return [site.input, { dtype: 'bool', shape, data: drawMask(shape, site, draw, i) }];
    }),
  );
}

/** One random byte decides one element. */
function drawMask(shape: readonly number[], site: DropoutSite, draw: DrawKey, siteIndex: number): Uint8Array {
  const stream = new RandomStream(draw.seed, 'dropout', draw.step, draw.index * 4096 + siteIndex);
  const mask = new Uint8Array(multiplyDims(...shape) as number);
  const { drop256 } = site.rate;
  for (let i = 0; i < mask.length; ) {
    for (let word = stream.uint32(), byte = 0; byte < 4 && i < mask.length; byte++, i++, word >>>= 8) {
      mask[i] = (word & 0xff) >= drop256 ? 1 : 0;
    }
  }
  return mask;
}
