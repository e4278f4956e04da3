/** @returns the number that the address says, held within bounds; undefined where it says none */
export function numberIn(text: string | undefined, least: number, most: number): number | undefined {
  const value = text?.trim() ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : undefined;
}
