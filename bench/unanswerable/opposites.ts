/** Pairs of English words of which one, in the place of the other, turns a question round. */
const PAIRS = `first last, largest smallest, highest lowest, most least, more fewer, before after, north south, east west, northern southern,
eastern western, increase decrease, increased decreased, early late, earliest latest, oldest newest, major minor, new old, large small, high low,
began ended, begin end, start end, started stopped, founded dissolved, won lost, win lose, born buried, always never, good bad, best worst, male female,
men women, positive negative, public private, above below, allowed forbidden, opened closed, higher lower, larger smaller, inside outside, mother father,
son daughter, king queen, longest shortest, strong weak, common rare, rich poor, included excluded, upper lower, hot cold, modern ancient, gained lost,
with without, legal illegal, approved rejected, accepted refused, created destroyed, built demolished, joined left, helped hindered, supported opposed,
support oppose, easy hard, young old, many few`;

/** A word of several pairs has the opposite of the last. */
const OPPOSITES = new Map(
  PAIRS.split(/,\s+/).flatMap((pair) => {
    const [one, other] = pair.split(' ');
    return [[one, other] as const, [other, one] as const];
  }),
);

export const oppositeOf = (word: string): string | undefined => OPPOSITES.get(word);
