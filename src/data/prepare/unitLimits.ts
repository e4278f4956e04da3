/** Sizes of what is read at a time. */

/** Text given to a worker at a time. Longer documents come in parts; larger units only cost memory. */
export const UNIT_BYTES = 1 << 18;
/** A JSONL line is parsed whole, so there is a limit to what one may ask of the memory. */
export const MAX_JSON_LINE_BYTES = 1 << 26;
