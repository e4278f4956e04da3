"""Writes relation-scores.json beside this script: what the official scorer of SemEval-2010 task 8 printed for its own examples.

    python test/golden/make_relation_golden.py FOLDER     FOLDER: the release's scorer-examples

Hendrickx et al., SemEval-2010 Task 8 (https://aclanthology.org/S10-1006), data under CC BY 3.0; only labels are taken, no
sentence. Each example has its labels in order, the labels of the key and of the answer as one letter each ("." where the
answer leaves a row out), and of the official part of the output ("(9+1)-WAY EVALUATION TAKING DIRECTIONALITY INTO
ACCOUNT"): right, found and wanted of each relation, and the percentages. Example 4 has broken labels and no output.
Standard library only.
"""

import json
import re
import sys
from pathlib import Path

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROW = re.compile(r"^\s*([A-Z]\S+) :\s+P =\s*(\d+)/\(\s*(\d+) \+\s*(\d+)\) =.*?R =\s*\d+/\s*(\d+) =", re.M)


def labels_of(path):
    rows = [line.split("\t") for line in path.read_text().splitlines() if line.strip()]
    return {number: label.strip() for number, label in rows}


def example(folder, number):
    key, answer = (labels_of(folder / f"{name}{number}.txt") for name in ("answer_key", "proposed_answer"))
    labels = sorted({*key.values(), *answer.values()})
    letter = {label: LETTERS[i] for i, label in enumerate(labels)}
    official = (folder / f"result_scores{number}.txt").read_text().split("-- OFFICIAL >>>")[1]
    micro, macro = (official.split(f"{name}-averaged result (excluding Other):\n")[1] for name in ("Micro", "MACRO"))
    percent = lambda text: [float(x) for x in re.findall(r"([\d.]+)%", text.split("\n")[0])]
    return {
        "labels": labels,
        "expected": "".join(letter[label] for label in key.values()),
        "predicted": "".join(letter[answer[n]] if n in answer else "." for n in key),
        "relations": {name: [int(r), int(f) + int(x), int(w)] for name, r, f, x, w in ROW.findall(official)},
        "micro": percent(micro),
        "macro": percent(macro),
    }


def main():
    folder = Path(sys.argv[1])
    examples = [example(folder, number) for number in (1, 2, 3, 5)]
    lines = ",\n".join(json.dumps(each) for each in examples)
    Path(__file__).with_name("relation-scores.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
