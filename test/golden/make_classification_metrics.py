"""Writes classification-metrics.json beside this script: metrics of made-up predictions, by scikit-learn and scipy.

    pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    python test/golden/make_classification_metrics.py

Two kinds of cases. "real": a few long ones as evaluations give them, with the class frequencies of CoLA, MRPC, MNLI, a
relation task of 19 classes, GoEmotions (several labels) and STS-B (gold in steps of 0.2, so with many ties). "odd": 500
short ones with what breaks metrics: one row, one class expected or predicted, constant and nearly constant numbers, ties
everywhere, a class that never occurs, huge offsets, tiny differences, both signs of zero.

Where scipy warns that numbers are nearly constant and its Pearson correlation is inaccurate, that is by exact fractions.

Classes are digits of base 36 in one string; rows of several labels are strings of 0 and 1. A correlation that scipy has
as nan is null. Scores have all their digits.
"""

import json
import math
import random
import warnings
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

from scipy.stats import NearConstantInputWarning, pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef, mean_squared_error

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def or_null(value):
    return None if math.isnan(value) else float(value)


def exact_pearson(a, b):
    x, y = ([Fraction(value) - sum(map(Fraction, side)) / len(side) for value in side] for side in (a, b))
    dot = lambda u, v: sum(p * q for p, q in zip(u, v))
    getcontext().prec = 60
    decimal = lambda fraction: Decimal(fraction.numerator) / Decimal(fraction.denominator)
    return float(decimal(dot(x, y)) / (decimal(dot(x, x)) * decimal(dot(y, y))).sqrt())


def pearson(predicted, expected):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = pearsonr(predicted, expected).statistic
    if any(issubclass(each.category, NearConstantInputWarning) for each in caught) and not math.isnan(value):
        return exact_pearson(predicted, expected)
    return or_null(value)


def classes_case(predicted, expected, k):
    labels = list(range(k))
    return {
        "kind": "classes",
        "numClasses": k,
        "predicted": "".join(DIGITS[p] for p in predicted),
        "expected": "".join(DIGITS[e] for e in expected),
        "accuracy": float(accuracy_score(expected, predicted)),
        "macroF1": float(f1_score(expected, predicted, labels=labels, average="macro", zero_division=0)),
        "matthews": float(matthews_corrcoef(expected, predicted)),
        **({"f1": float(f1_score(expected, predicted, labels=[1], average="macro", zero_division=0))} if k == 2 else {}),
    }


def labels_case(predicted, expected):
    return {
        "kind": "labels",
        "predicted": ["".join(map(str, row)) for row in predicted],
        "expected": ["".join(map(str, row)) for row in expected],
        "microF1": float(f1_score(expected, predicted, average="micro", zero_division=0)),
        "macroF1": float(f1_score(expected, predicted, average="macro", zero_division=0)),
        "allRight": float(accuracy_score(expected, predicted)),
    }


def numbers_case(predicted, expected):
    single = len(expected) < 2
    return {
        "kind": "numbers",
        "predicted": predicted,
        "expected": expected,
        "pearson": None if single else pearson(predicted, expected),
        "spearman": None if single else or_null(spearmanr(predicted, expected).statistic),
        "error": float(mean_squared_error(expected, predicted)),
    }


def draw(rng, frequencies):
    return rng.choices(range(len(frequencies)), frequencies)[0]


def real_classes(rng, rows, frequencies, right):
    expected = [draw(rng, frequencies) for _ in range(rows)]
    return [e if rng.random() < right else draw(rng, frequencies) for e in expected], expected


def real_cases(rng):
    yield classes_case(*real_classes(rng, 1043, [0.31, 0.69], 0.6), 2)
    yield classes_case(*real_classes(rng, 408, [0.32, 0.68], 0.7), 2)
    yield classes_case(*real_classes(rng, 900, [0.33, 0.35, 0.32], 0.5), 3)
    yield classes_case(*real_classes(rng, 700, [0.17] + [0.046] * 18, 0.6), 19)
    rates = [rng.random() ** 3 for _ in range(28)]
    expected = [[int(rng.random() < rate) for rate in rates] for _ in range(500)]
    predicted = [[v if rng.random() < 0.85 else int(rng.random() < 0.5) for v in row] for row in expected]
    yield labels_case(predicted, expected)
    gold = [rng.randrange(26) / 5 for _ in range(1500)]
    yield numbers_case([round(g * 0.8 + rng.gauss(0.5, 0.9), 6) for g in gold], gold)


def odd_classes(rng):
    rows, k = rng.choice([1, 2, 3, 7, 20, 40]), rng.choice([2, 2, 2, 3, 9])
    side = lambda: rng.choice(
        [
            [rng.randrange(k)] * rows,  # one class
            [rng.randrange(k) for _ in range(rows)],
            [rng.randrange(max(1, k - 1)) for _ in range(rows)],  # the last class never occurs
        ]
    )
    expected = side()
    return classes_case(rng.choice([side(), expected, [k - 1 - e for e in expected]]), expected, k)


def odd_labels(rng):
    rows, k = rng.choice([1, 2, 5, 12]), rng.choice([2, 3, 5])
    rate = rng.choice([0, 0.1, 0.5, 1])
    side = lambda: [[int(rng.random() < rate) for _ in range(k)] for _ in range(rows)]
    return labels_case(side(), side())


def odd_numbers(rng):
    rows = rng.choice([1, 2, 3, 8, 30])
    scale = rng.choice([1, 1, 1e-12, 1e12])
    offset = rng.choice([0, 0, 3, 1e6])
    side = lambda: rng.choice(
        [
            [rng.choice([0.0, 1.5, -2.0])] * rows,  # constant
            [float(rng.randrange(2)) for _ in range(rows)],
            [float(rng.randrange(4)) for _ in range(rows)],
            [rng.gauss(0, 1) * scale + offset for _ in range(rows)],
            [rng.choice([0.0, -0.0, 1e-300]) for _ in range(rows)],
            [1.0 + rng.randrange(3) * 2.0**-50 for _ in range(rows)],
        ]
    )
    expected = side()
    return numbers_case(rng.choice([side(), side(), expected, [-e for e in expected]]), expected)


def main():
    warnings.simplefilter("ignore")  # of constant input, whose nan is kept
    rng = random.Random(12)
    odd = [rng.choice([odd_classes, odd_labels, odd_numbers])(rng) for _ in range(500)]
    cases = {"real": list(real_cases(rng)), "odd": odd}
    lines = [f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in of) + "\n]" for name, of in cases.items()]
    path = Path(__file__).with_name("classification-metrics.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
