"""Writes span-metrics.json beside this script: tag sequences, predictions for them, and what the originals make of both.

    python test/golden/make_span_metrics_golden.py --conlleval conlleval.pl --wnut17 FOLDER

`conlleval.pl` is the script of the CoNLL-2000 shared task (https://www.cnts.ua.ac.be/conll2000/chunking/conlleval.txt); it is run
once for every sequence and once for all of a group. `seqeval` gives the figures with all their digits, also of BIOES, which the
script does not know. FOLDER has WNUT-2017 (leondz/emerging_entities_17, CC BY 4.0): wnut17train.conll, emerging.dev.conll and
emerging.test.annotated; the golden file has its tags without the words.

Groups: `wnut17`, real tags with the predictions of each word's most frequent tag in the other files, one in twenty of them drawn
anew; `bio` and `bioes`, random tags of three types in any order, legal or not.
"""

import argparse
import json
import random
import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

from seqeval.metrics import accuracy_score
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

SEED = 20201207
TRAIN_SENTENCES = 1000
RANDOM_SENTENCES = 400
COUNTS = re.compile(r"processed (\d+) tokens with (\d+) phrases; found: (\d+) phrases; correct: (\d+)\.")
TYPE_LINE = re.compile(r"^\s*(\S+): precision:\s+([\d.]+)%; recall:\s+([\d.]+)%; FB1:\s+([\d.]+)\s+(\d+)$", re.M)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--conlleval", required=True)
    arguments.add_argument("--wnut17", type=Path, required=True)
    given = arguments.parse_args()
    rng = random.Random(SEED)
    groups = {
        "wnut17": real(given.wnut17, rng),
        "bio": random_group(rng, ["B", "I"], RANDOM_SENTENCES),
        "bioes": random_group(rng, ["B", "I", "E", "S"], RANDOM_SENTENCES),
    }
    golden = {name: evaluated(pairs, given.conlleval if name != "bioes" else None) for name, pairs in groups.items()}
    path = Path(__file__).with_name("span-metrics.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


def real(folder, rng):
    files = [read(folder / name) for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated")]
    tags = sorted({tag for file in files for sentence in file for _, tag in sentence})
    pairs = []
    for i, file in enumerate(files):
        known = most_frequent([sentence for j, other in enumerate(files) if j != i for sentence in other])
        for sentence in file[: TRAIN_SENTENCES if i == 0 else None]:
            guess = [rng.choice(tags) if rng.random() < 0.05 else known.get(word, "O") for word, _ in sentence]
            pairs.append(([tag for _, tag in sentence], guess))
    return pairs


def read(path):
    sentences, current = [], []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            if current:
                sentences.append(current)
            current = []
            continue
        word, tag = line.split("\t")
        current.append((word, tag.strip()))
    return sentences + ([current] if current else [])


def most_frequent(sentences):
    counts = defaultdict(Counter)
    for sentence in sentences:
        for word, tag in sentence:
            counts[word][tag] += 1
    return {word: tags.most_common(1)[0][0] for word, tags in counts.items()}


def random_group(rng, prefixes, count):
    """Types with a hyphen, and one that begins like a prefix. Predictions repeat two thirds of the tags."""
    tags = ["O"] + [f"{prefix}-{kind}" for prefix in prefixes for kind in ("LOC", "creative-work", "I")]
    pairs = []
    for _ in range(count):
        expected = [rng.choice(tags) for _ in range(rng.randint(1, 12))]
        pairs.append((expected, [tag if rng.random() < 0.67 else rng.choice(tags) for tag in expected]))
    return pairs


def evaluated(pairs, conlleval):
    tags = sorted({tag for pair in pairs for side in pair for tag in side})
    letters = {tag: chr(ord("A") + i) if i < 26 else chr(ord("a") + i - 26) for i, tag in enumerate(tags)}
    expected, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    types = sorted({tag.split("-", 1)[1] for tag in tags if tag != "O"})
    each = precision_recall_fscore_support(expected, predicted, average=None, zero_division=0)
    names = sorted({kind for sentence in expected + predicted for kind in (t.split("-", 1)[1] for t in sentence if t != "O")})
    assert names == types
    overall = precision_recall_fscore_support(expected, predicted, average="micro", zero_division=0)
    golden = {
        "letters": {letter: tag for tag, letter in letters.items()},
        "sequences": ["".join(letters[tag] for tag in own) + " " + "".join(letters[tag] for tag in guess) for own, guess in pairs],
        "seqeval": {
            "accuracy": accuracy_score(expected, predicted),
            "overall": [float(value) for value in overall[:3]],
            "types": {kind: [float(each[k][i]) for k in range(3)] + [int(each[3][i])] for i, kind in enumerate(types)},
        },
    }
    if conlleval is None:
        return golden
    golden["conlleval"] = {
        # tokens, phrases of the data, phrases found, phrases found rightly
        "counts": counts_of(run(conlleval, pairs)),
        "types": {kind: [float(p), float(r), float(f), int(n)] for kind, p, r, f, n in TYPE_LINE.findall(run(conlleval, pairs))},
        "sequences": [counts_of(run(conlleval, [pair]))[1:] for pair in pairs],
    }
    return golden


def run(conlleval, pairs):
    lines = "\n\n".join("\n".join(f"w {own} {guess}" for own, guess in zip(*pair)) for pair in pairs)
    done = subprocess.run(["perl", conlleval], input=lines + "\n\n", capture_output=True, text=True, check=True)
    return done.stdout


def counts_of(report):
    return [int(number) for number in COUNTS.search(report).groups()]


main()
