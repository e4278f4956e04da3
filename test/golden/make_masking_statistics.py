"""Writes masking-statistics.json beside this script: what SpanBERT's masking does on average, by simulation.

    python test/golden/make_masking_statistics.py

A second implementation of the rules (arXiv 1907.10529, section 3.1; docs/masking.md), written apart from the one in
src/data/masking, as plainly as it can be and with Python's own generator. A block has n text pieces; each but the first
continues a word with probability c, independently. "whole-word" leaves out a word that would pass the budget, as BERT's
released code does; the other laws cut the last one, as SpanBERT's. For each law: mean and standard deviation over the blocks of
    spans      merged spans
    words      words that begin in them
    bounded    masked pieces with a boundary target: both neighbours of the span inside the block, at most 15 a span
    long       spans of more than 15 pieces
    accepted   spans drawn, before merging
    rejected   anchors drawn in vain
    masked     masked pieces, of "whole-word" alone: of the others it is the budget
Standard library only; Python 3.9 or newer.
"""

import json
import math
import random
from pathlib import Path
from statistics import fmean, stdev

BLOCKS = 20000
SHAPES = [(510, 0.22), (510, 0.0), (128, 0.22), (64, 0.22)]
GEOMETRIC = [0.2 * 0.8 ** (k - 1) for k in range(1, 11)]
LAWS = {
    "span": (GEOMETRIC, "piece"),
    "span, paper anchor": (GEOMETRIC, "word"),
    "span, paper lengths": (GEOMETRIC[:9] + [0.8**9], "piece"),
    "uniform-span": ([1.0] * 10, "piece"),
    "whole-word": ([1.0], "piece"),
}


def mask_whole_words(n, starts, rng):
    budget = math.ceil(0.15 * n)
    word_of, words = [], []
    for i in range(n):
        if starts[i]:
            words.append([])
        words[-1].append(i)
        word_of.append(words[-1])
    masked, left_out, accepted, rejected = set(), set(), 0, 0
    while len(masked) < budget and len(masked) + len(left_out) < n:
        anchor = rng.randrange(n)
        if anchor in masked or anchor in left_out:
            rejected += 1
        elif len(masked) + len(word_of[anchor]) > budget:
            rejected += 1
            left_out.update(word_of[anchor])
        else:
            accepted += 1
            masked.update(word_of[anchor])
    return masked, accepted, rejected


def mask_block(n, starts, weights, anchor_law, rng):
    budget = math.ceil(0.15 * n)
    word_starts = [i for i in range(n) if starts[i]]
    masked, accepted, rejected = set(), 0, 0
    while len(masked) < budget:
        words = rng.choices(range(1, len(weights) + 1), weights)[0]
        anchor = rng.randrange(n) if anchor_law == "piece" else rng.choice(word_starts)
        if anchor in masked:
            rejected += 1
            continue
        accepted += 1
        position = anchor
        while not starts[position]:
            position -= 1
        begun = 0
        while position < n and len(masked) < budget:
            begun += starts[position]
            if begun > words:
                break
            masked.add(position)
            position += 1
    return masked, accepted, rejected


def measure(n, starts, masked, accepted, rejected):
    spans = []
    for position in sorted(masked):
        if spans and spans[-1][1] == position - 1:
            spans[-1][1] = position
        else:
            spans.append([position, position])
    lengths = [last - first + 1 for first, last in spans]
    return {
        "spans": len(spans),
        "words": sum(starts[position] for position in masked),
        "bounded": sum(min(15, length) for (s, e), length in zip(spans, lengths) if s > 0 and e < n - 1),
        "long": sum(length > 15 for length in lengths),
        "accepted": accepted,
        "rejected": rejected,
    }


def main():
    results = []
    for seed, (n, continuation) in enumerate(SHAPES):
        for name, (weights, anchor_law) in LAWS.items():
            rng = random.Random(seed)
            rows = []
            for _ in range(BLOCKS if name == "span" else BLOCKS // 4):
                starts = [1] + [int(rng.random() >= continuation) for _ in range(n - 1)]
                if name == "whole-word":
                    masked, accepted, rejected = mask_whole_words(n, starts, rng)
                    rows.append({**measure(n, starts, masked, accepted, rejected), "masked": len(masked)})
                else:
                    rows.append(measure(n, starts, *mask_block(n, starts, weights, anchor_law, rng)))
            figures = {key: [round(fmean(row[key] for row in rows), 5), round(stdev(row[key] for row in rows), 5)] for key in rows[0]}
            results.append({"law": name, "n": n, "continuation": continuation, "blocks": len(rows), **figures})
            print(results[-1])
    text = ",\n".join(json.dumps(result) for result in results)
    Path(__file__).with_name("masking-statistics.json").write_text(f"[\n{text}\n]\n")


main()
