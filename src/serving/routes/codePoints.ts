/** Offsets as Python counts them: clients of the hub expect code points, JavaScript's strings have UTF-16 units. */

/** Of each UTF-16 offset of a text, 0 to its length, how many code points stand before it. */
export function codePointOffsets(text: string): (offset: number) => number {
  // Where no character takes two units, both count alike.
  if (!/[\ud800-\udbff]/.test(text)) return (offset) => offset;
  const before = new Uint32Array(text.length + 1);
  let [unit, count] = [0, 0];
  for (const character of text) {
    for (let i = 0; i < character.length; i++) before[unit++] = count;
    count++;
  }
  before[unit] = count;
  return (offset) => before[offset];
}
