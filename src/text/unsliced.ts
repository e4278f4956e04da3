/** A copy that does not keep the text alive from which `text` was sliced (V8 slices long strings by reference). */
export function unsliced(text: string): string {
  const units: number[] = [];
  for (let i = 0; i < text.length; i++) units.push(text.charCodeAt(i));
  return String.fromCharCode(...units);
}
