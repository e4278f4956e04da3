/** Several schemes, one for each block (SpanBERT's released code, `--schemes` with a list). */

import { SettingsError } from '../../errors/errors.js';
import type { MaskingScheme } from './scheme.js';

/**
 * Every scheme is picked for an equal part of the blocks.
 * @throws SettingsError without a scheme
 */
export function mixedMasking(schemes: readonly MaskingScheme[]): MaskingScheme {
  if (schemes.length === 0) throw new SettingsError(['there is no masking scheme to mix; expected at least one']);
  if (schemes.length === 1) return schemes[0];
  return {
    name: schemes.map(({ name }) => name).join('+'),
    maxSlots: (blockLength) => Math.max(...schemes.map((scheme) => scheme.maxSlots(blockLength))),
    mask: (block, random) => schemes[random.integer(schemes.length)].mask(block, random),
  };
}
