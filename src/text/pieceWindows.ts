/** Long sequences of pieces as overlapping windows, each piece judged in the one that shows more around it. */

/** Most pieces that two neighbouring windows share. */
const MAX_OVERLAP = 64;

/** Pieces `from` to `to` (exclusive); those from `keepFrom` to `keepTo` are judged here: every piece in one window. */
export interface PieceWindow {
  readonly from: number;
  readonly to: number;
  readonly keepFrom: number;
  readonly keepTo: number;
}

/** A quarter of a window, at most 64 pieces. */
export function windowOverlap(size: number): number {
  return Math.min(MAX_OVERLAP, Math.floor(size / 4));
}

/**
 * Windows of at most `size` pieces, at least 1. In an overlap the first half is judged in the earlier window and the second in
 * the later one: each piece then has the most context.
 */
export function pieceWindows(length: number, size: number): PieceWindow[] {
  const overlap = windowOverlap(size);
  const half = Math.floor(overlap / 2);
  const windows: PieceWindow[] = [];
  for (let from = 0; ; from += size - overlap) {
    const isLast = from + size >= length;
    const to = isLast ? length : from + size;
    const keepFrom = from === 0 ? 0 : from + half;
    windows.push({ from, to, keepFrom, keepTo: isLast ? to : to - (overlap - half) });
    if (isLast) return windows;
  }
}
