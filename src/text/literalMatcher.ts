interface Node {
  /** Keyed by the next UTF-16 unit. */
  readonly next: Map<number, Node>;
  /** Number of the literal that ends here; -1 for none. */
  literal: number;
}

/**
 * Finds given strings in text, letter by letter: at the leftmost place the longest, and the next one behind it. A trie,
 * because a regular expression would have to escape whatever means something in one, by rules that depend on its flags.
 */
export class LiteralMatcher {
  readonly #root: Node = newNode();
  /** Finds the next unit that some literal begins with: what no literal begins with is skipped at the engine's own speed. */
  readonly #begins: RegExp;

  /** @param literals  none empty; of equal ones the first is found */
  constructor(literals: readonly string[]) {
    literals.forEach((literal, number) => {
      let node = this.#root;
      for (let i = 0; i < literal.length; i++) node = childOf(node, literal.charCodeAt(i));
      if (node.literal < 0) node.literal = number;
    });
    const units = [...this.#root.next.keys()].map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`);
    this.#begins = new RegExp(`[${units.join('')}]`, 'g');
  }

  /** @param visit  called with the number of each literal that is found, its start and its end (exclusive) */
  find(text: string, visit: (literal: number, start: number, end: number) => void): void {
    const begins = this.#begins;
    let from = 0;
    for (;;) {
      begins.lastIndex = from;
      const start = begins.exec(text)?.index;
      if (start === undefined) return;
      from = start + 1;
      const found = this.#longestAt(text, start);
      if (!found) continue;
      visit(found.literal, start, found.end);
      from = found.end;
    }
  }

  #longestAt(text: string, start: number): { literal: number; end: number } | undefined {
    let found: { literal: number; end: number } | undefined;
    let node: Node | undefined = this.#root;
    for (let end = start; end < text.length; ) {
      node = node.next.get(text.charCodeAt(end));
      if (!node) break;
      end++;
      if (node.literal >= 0) found = { literal: node.literal, end };
    }
    return found;
  }
}

function newNode(): Node {
  return { next: new Map(), literal: -1 };
}

function childOf(node: Node, unit: number): Node {
  const child = node.next.get(unit) ?? newNode();
  node.next.set(unit, child);
  return child;
}
