/** Geometry of overlapping windows over a text: a ribbon each, in as few lanes as keep them apart. */

export interface RibbonWindow {
  readonly from: number;
  readonly to: number;
  /** The part that counts. */
  readonly judgedFrom: number;
  readonly judgedTo: number;
}

export interface Ribbon {
  readonly lane: number;
  readonly x: number;
  readonly width: number;
  readonly judgedX: number;
  readonly judgedWidth: number;
}

/**
 * @param windows  ascending by `from`
 * @param length   pieces of the text
 * @param width    that the whole text has
 */
export function ribbons(windows: readonly RibbonWindow[], length: number, width: number): Ribbon[] {
  const at = (piece: number) => (length === 0 ? 0 : (piece / length) * width);
  const laneEnds: number[] = [];
  return windows.map(({ from, to, judgedFrom, judgedTo }) => {
    const free = laneEnds.findIndex((end) => end <= from);
    const lane = free < 0 ? laneEnds.length : free;
    laneEnds[lane] = to;
    return {
      lane,
      x: at(from),
      width: at(to) - at(from),
      judgedX: at(judgedFrom),
      judgedWidth: at(judgedTo) - at(judgedFrom),
    };
  });
}
