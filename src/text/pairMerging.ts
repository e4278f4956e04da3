/**
 * Byte-pair-encoding merges over counted words: the most frequent pair of neighbouring symbols becomes one symbol, again
 * and again. Sennrich et al., arXiv 1508.07909 §3.2; pair counts are kept up to date as merges happen and a heap holds
 * the candidates, so a merge costs only the words that it changes.
 */

/** A pair of symbols is one number, exact below 2^53. */
const PAIR_BASE = 2 ** 26;

/** Words as symbols, all in one array: word w is symbols[starts[w]] … of lengths[w] symbols, met counts[w] times. */
export interface SymbolWords {
  symbols: Int32Array;
  starts: Int32Array;
  lengths: Int32Array;
  counts: Float64Array;
}

interface Pair {
  count: number;
  /** Words that hold the pair, or once did; may name a word twice. */
  words: number[];
}

interface Candidate {
  key: number;
  /** The pair's count when it was put on the heap. */
  count: number;
}

/**
 * Merges pairs until `onMerge` says stop or no pair is left with at least `minFrequency`. Equal counts: the pair with the
 * smaller left, then right symbol goes first, so the result does not depend on the order of the words.
 * @param words    changed in place
 * @param onMerge  called with the pair; returns the symbol that replaces it, or undefined to stop
 */
export function mergePairs(
  words: SymbolWords,
  minFrequency: number,
  onMerge: (left: number, right: number) => number | undefined,
): void {
  const pairs = countPairs(words);
  const heap = new CandidateHeap();
  for (const [key, { count }] of pairs) heap.push({ key, count });
  for (let top = heap.pop(); top; top = heap.pop()) {
    const pair = pairs.get(top.key)!;
    if (pair.count !== top.count) {
      // Out of date: the count fell since. (When it rises, the pair is pushed again.)
      if (pair.count > 0 && pair.count < top.count) heap.push({ key: top.key, count: pair.count });
      continue;
    }
    if (pair.count < minFrequency || pair.count < 1) return;
    const left = Math.floor(top.key / PAIR_BASE);
    const right = top.key % PAIR_BASE;
    const merged = onMerge(left, right);
    if (merged === undefined) return;
    const risen = new Set<number>();
    const change = (a: number, b: number, delta: number, word: number) => {
      const key = a * PAIR_BASE + b;
      let changed = pairs.get(key);
      if (!changed) {
        changed = { count: 0, words: [] };
        pairs.set(key, changed);
      }
      changed.count += delta;
      if (delta > 0) {
        if (changed.words.at(-1) !== word) changed.words.push(word);
        risen.add(key);
      }
    };
    for (const word of pair.words) mergeInWord(words, word, left, right, merged, change);
    pair.words = [];
    for (const key of risen) heap.push({ key, count: pairs.get(key)!.count });
  }
}

function countPairs({ symbols, starts, lengths, counts }: SymbolWords): Map<number, Pair> {
  const pairs = new Map<number, Pair>();
  for (let word = 0; word < starts.length; word++) {
    const end = starts[word] + lengths[word];
    for (let i = starts[word]; i + 1 < end; i++) {
      const key = symbols[i] * PAIR_BASE + symbols[i + 1];
      const pair = pairs.get(key);
      if (!pair) pairs.set(key, { count: counts[word], words: [word] });
      else {
        pair.count += counts[word];
        if (pair.words[pair.words.length - 1] !== word) pair.words.push(word);
      }
    }
  }
  return pairs;
}

/** Replaces every (left, right) of a word, from left to right, and reports how the counts of pairs change. */
function mergeInWord(
  words: SymbolWords,
  word: number,
  left: number,
  right: number,
  merged: number,
  change: (a: number, b: number, delta: number, word: number) => void,
): void {
  const { symbols, starts, lengths, counts } = words;
  const start = starts[word];
  const end = start + lengths[word];
  const count = counts[word];
  let to = start;
  for (let from = start; from < end; from++, to++) {
    if (symbols[from] !== left || from + 1 >= end || symbols[from + 1] !== right) {
      symbols[to] = symbols[from];
      continue;
    }
    change(left, right, -count, word);
    if (to > start) {
      change(symbols[to - 1], left, -count, word);
      change(symbols[to - 1], merged, count, word);
    }
    if (from + 2 < end) {
      change(right, symbols[from + 2], -count, word);
      change(merged, symbols[from + 2], count, word);
    }
    symbols[to] = merged;
    from++;
  }
  lengths[word] = to - start;
}

/** Binary heap: the largest count first, then the smallest key. */
class CandidateHeap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let i = items.length;
    items.push(item);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!goesBefore(item, items[parent])) break;
      items[i] = items[parent];
      i = parent;
    }
    items[i] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || !last) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && goesBefore(items[child + 1], items[child])) child++;
      if (!goesBefore(items[child], last)) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return top;
  }
}

function goesBefore(a: Candidate, b: Candidate): boolean {
  return a.count > b.count || (a.count === b.count && a.key < b.key);
}
