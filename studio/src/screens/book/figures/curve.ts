/** Geometry of a function's curve. */

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Values at the left and right, and at the bottom and top. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

export function toX({ width, x: [low, high] }: Frame, value: number): number {
  return (width * (value - low)) / (high - low);
}

export function toY({ height, y: [low, high] }: Frame, value: number): number {
  return height - (height * (value - low)) / (high - low);
}

/** @param steps  straight pieces that the curve is drawn of */
export function curvePath(f: (x: number) => number, frame: Frame, steps = 80): string {
  const [low, high] = frame.x;
  const points = Array.from({ length: steps + 1 }, (_, i) => {
    const x = low + ((high - low) * i) / steps;
    return `${toX(frame, x).toFixed(1)} ${toY(frame, f(x)).toFixed(1)}`;
  });
  return `M${points.join('L')}`;
}
