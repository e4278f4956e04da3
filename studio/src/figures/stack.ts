/** Parts of a sum as segments of one bar. */

export interface Segment<Part> {
  readonly part: Part;
  readonly x: number;
  readonly width: number;
}

/** @param scale  pixels for one unit */
export function stackedSegments<Part extends { readonly value: number }>(
  parts: readonly Part[],
  scale: number,
  from = 0,
): Segment<Part>[] {
  let x = from;
  return parts.map((part) => {
    const segment = { part, x, width: part.value * scale };
    x += segment.width;
    return segment;
  });
}
