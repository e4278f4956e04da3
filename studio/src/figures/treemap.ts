/** Areas for a whole and its parts: a treemap. */

export interface Area {
  readonly index: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A squarified treemap (Bruls, Huizing, van Wijk 2000): parts fill the box, each with an area as large as its share, in rows or
 * columns whose worst aspect ratio is as near to a square as going on allows.
 * @param values  at least 0; zero takes no area
 */
export function treemap(values: readonly number[], width: number, height: number): Area[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total <= 0 || width <= 0 || height <= 0) return [];
  const scale = (width * height) / total;
  const parts = values
    .map((value, index) => ({ index, area: value * scale }))
    .filter(({ area }) => area > 0)
    .sort((a, b) => b.area - a.area || a.index - b.index);
  const placed: Area[] = [];
  let box = { x: 0, y: 0, width, height };
  let row: typeof parts = [];
  for (const part of parts) {
    const side = Math.min(box.width, box.height);
    if (row.length > 0 && worst([...row, part], side) > worst(row, side)) {
      box = place(row, box, placed);
      row = [];
    }
    row.push(part);
  }
  place(row, box, placed);
  return placed.sort((a, b) => a.index - b.index);
}

type Box = Omit<Area, 'index'>;
interface Part {
  readonly index: number;
  readonly area: number;
}

/** The largest aspect ratio of a row along a side. */
function worst(row: readonly Part[], side: number): number {
  const sum = row.reduce((total, { area }) => total + area, 0);
  const thickness = sum / side;
  return Math.max(...row.map(({ area }) => Math.max(area / thickness ** 2, thickness ** 2 / area)));
}

/** Lays a row along the shorter side. @returns what is left of the box */
function place(row: readonly Part[], box: Box, placed: Area[]): Box {
  const sum = row.reduce((total, { area }) => total + area, 0);
  const isColumn = box.width >= box.height;
  const thickness = sum / (isColumn ? box.height : box.width);
  let at = isColumn ? box.y : box.x;
  for (const { index, area } of row) {
    const length = area / thickness;
    placed.push(
      isColumn
        ? { index, x: box.x, y: at, width: thickness, height: length }
        : { index, x: at, y: box.y, width: length, height: thickness },
    );
    at += length;
  }
  return isColumn
    ? { ...box, x: box.x + thickness, width: box.width - thickness }
    : { ...box, y: box.y + thickness, height: box.height - thickness };
}
