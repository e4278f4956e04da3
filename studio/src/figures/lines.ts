/** A row of columns broken into lines that fit. */

/** @returns numbers of the columns of each line, in order; every line has at least one */
export function brokenLines(widths: readonly number[], room: number, gap: number): number[][] {
  const lines: number[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const [index, width] of widths.entries()) {
    if (used + gap + width > room) {
      lines.push([]);
      used = -gap;
    }
    lines[lines.length - 1].push(index);
    used += gap + width;
  }
  return lines;
}

/** About how wide a text is, in pixels: letters of East Asian scripts are twice as wide as Latin ones. */
export function textWidth(text: string, fontSize: number): number {
  let units = 0;
  for (const character of text)
    units += /[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uff60]/.test(character) ? 0.95 : 0.56;
  return units * fontSize;
}
