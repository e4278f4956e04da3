/** The part of pairs of a positive and a negative in which the positive is higher; ties count half. Mann and Whitney 1947. */
export function rankAuc(positives: readonly number[], negatives: readonly number[]): number {
  const all = [
    ...positives.map((value) => ({ value, isPositive: true })),
    ...negatives.map((value) => ({ value, isPositive: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let below = 0;
  let sum = 0;
  for (let i = 0; i < all.length; ) {
    let end = i;
    while (end < all.length && all[end].value === all[i].value) end++;
    const group = all.slice(i, end);
    const inGroup = group.filter(({ isPositive }) => !isPositive).length;
    sum += group.filter(({ isPositive }) => isPositive).length * (below + inGroup / 2);
    below += inGroup;
    i = end;
  }
  return sum / (positives.length * negatives.length);
}
