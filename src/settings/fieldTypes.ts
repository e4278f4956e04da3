/** Small types that settings are made of. */
import { z } from 'zod';

export const fraction = () => z.number().min(0).max(1);
export const count = () => z.number().int().min(1);
/** A behaviour with two forms: the released code's, and what is right. */
export const style = () => z.enum(['corrected', 'reference']);
/** Of dropout, or of the decay of a moment. */
export const fractionBelowOne = () => z.number().min(0).lt(1);
