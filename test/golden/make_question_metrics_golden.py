"""Figures of the official question-answering scripts, by the scripts themselves, for predictions made by rule.

    python test/golden/make_question_metrics_golden.py --squad1 evaluate-v1.1.py --squad2 evaluate-v2.0.py \
        --mrqa mrqa_official_eval.py --korquad evaluate_v1_0.py --data ../shared/data

The scripts are those of rajpurkar.github.io/SQuAD-explorer, mrqa/MRQA-Shared-Task-2019 and korquad.github.io, which are not
part of this repository. Written with Python 3.11; from 3.12 on `sum` rounds less.

question-metrics.json holds
- `pairs`: a prediction and a reference of strange Unicode, each with what the scripts say of the two;
- `adversarial`: these as a data set of SQuAD 2.0 with numbers of which many are equal, and every figure of the script;
- `real`: for the questions of ../shared/data/squad and korquad no text, but how each prediction is made from its context: the code
  points at which it begins and ends, and a number for what is done to them (see `changed`). So no data are copied here.
"""

import argparse
import gzip
import importlib.util
import json
import os
import random
import sys
import types

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
for name in ["squad1", "squad2", "mrqa", "korquad", "data"]:
    parser.add_argument(f"--{name}", required=True)
arguments = parser.parse_args()

# The script of MRQA asks AllenNLP for downloads that nothing here needs.
for name in ["allennlp", "allennlp.common", "allennlp.common.file_utils"]:
    sys.modules[name] = types.ModuleType(name)
sys.modules["allennlp.common.file_utils"].cached_path = lambda path: path


def load(name):
    spec = importlib.util.spec_from_file_location(name, getattr(arguments, name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


squad1, squad2, mrqa, korquad = (load(name) for name in ["squad1", "squad2", "mrqa", "korquad"])

PARTS = (
    ["a", "an", "the", "The", "AN", "A", "cat", "Dogs", "naïve", "café", "e\u0301", "a\u0301", "\u0301the", "ß", "STRASSE", "İstanbul", "ΟΔΟΣ", "ΣΑΣ"]
    + ["a-b", "the-end", "an_a", "_the_", "a1", "1a", "the²", "ⅷ the", "٣a", "a٣", "½", "x", "U.S.", "O'Neill", "“the”", "«a»", "the’s", "$5", "5%"]
    + ["서울", "서울은", "《서울》", "〈the〉", "‘하나’", "(둘)", "한\u1100\u1161", "the서울", "日本", "a日", "🙂", "a🙂the", "👩‍🍳", "Ａ", "ｔｈｅ"]
    + ["\ufeffthe", "the\ufeff", "\u200bthe", "zero\u200dwidth", "soft\u00adhyphen", "", "!", "...", "\\", "`", "~a~", "#the", "<a>", "\u0130", "ǅ", "ﬁ"]
)
SPACES = [" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u2009", "\u3000", "\x1c", "\x1f", "\x85", "\u2028", "\u180e", "", ","]


def strange(draw):
    return "".join(draw.choice(PARTS) + draw.choice(SPACES) for _ in range(draw.randint(0, 6)))


def pairs(count):
    draw = random.Random(1)
    found = []
    for _ in range(count):
        reference = strange(draw)
        kind = draw.randint(0, 3)
        prediction = [strange(draw), reference.upper(), reference + " " + draw.choice(PARTS), reference[1:]][kind]
        found.append((prediction, reference))
    return found


def judged(prediction, reference):
    return {
        "prediction": prediction,
        "reference": reference,
        "normalized": squad1.normalize_answer(prediction),
        "exact": int(squad1.exact_match_score(prediction, reference)),
        "f1": squad1.f1_score(prediction, reference),
        "f1Squad2": squad2.compute_f1(reference, prediction),
        "korquad": korquad.normalize_answer(prediction),
        "korquadExact": int(korquad.exact_match_score(prediction, reference)),
        "korquadF1": korquad.f1_score(prediction, reference),
    }


def squad2_figures(dataset, predictions, numbers, threshold):
    """All that main() of evaluate-v2.0.py reports, and average precision without its pictures."""
    has_answer = squad2.make_qid_to_has_ans(dataset)
    exact_raw, f1_raw = squad2.get_raw_scores(dataset, predictions)
    exact = squad2.apply_no_ans_threshold(exact_raw, numbers, has_answer, threshold)
    f1 = squad2.apply_no_ans_threshold(f1_raw, numbers, has_answer, threshold)
    figures = squad2.make_eval_dict(exact, f1)
    for prefix, wanted in [("HasAns", True), ("NoAns", False)]:
        ids = [key for key, value in has_answer.items() if value == wanted]
        if ids:
            squad2.merge_eval(figures, squad2.make_eval_dict(exact, f1, qid_list=ids), prefix)
    squad2.find_all_best_thresh(figures, predictions, exact_raw, f1_raw, numbers, has_answer)
    positives = sum(has_answer.values())
    oracle = {key: float(value) for key, value in has_answer.items()}
    for name, scores in [("pr_exact", exact_raw), ("pr_f1", f1_raw), ("pr_oracle", oracle)]:
        squad2.merge_eval(figures, squad2.make_precision_recall_eval(scores, numbers, positives, has_answer), name)
    return figures


def adversarial(found):
    draw = random.Random(2)
    questions, predictions, numbers = [], {}, {}
    for index, (prediction, reference) in enumerate(found):
        kind = draw.randint(0, 9)
        others = [found[draw.randrange(len(found))][1] for _ in range(draw.randint(0, 2))]
        references = [] if kind < 4 else [reference, *others]
        questions.append({"id": f"q{index}", "references": references})
        predictions[f"q{index}"] = "" if draw.randint(0, 4) == 0 else prediction
    for index in draw.sample(range(len(found)), len(found)):
        numbers[f"q{index}"] = draw.choice([draw.randint(-4, 4) / 4, draw.uniform(-1, 1)])
    qas = [{"id": each["id"], "answers": [{"text": text} for text in each["references"]]} for each in questions]
    dataset = [{"paragraphs": [{"qas": qas}]}]
    answerable = [{"paragraphs": [{"qas": [qa for qa in qas if qa["answers"]]}]}]
    return {
        "questions": [{**each, "prediction": predictions[each["id"]]} for each in questions],
        "noAnswerScores": numbers,
        "threshold": 0.3,
        "squad2": squad2_figures(dataset, predictions, numbers, 0.3),
        "squad1": squad1.evaluate(answerable, predictions),
        "mrqa": mrqa.evaluate({qa["id"]: [a["text"] for a in qa["answers"]] for qa in qas if qa["answers"]}, predictions),
        "korquad": korquad.evaluate(answerable, predictions),
    }


def changed(text, change):
    """What is done to a piece of the context. In TypeScript: `changed` of officialScores.test.ts."""
    if change == 1:
        return text.upper()
    if change == 2:
        return f"The {text}."
    if change == 3:
        return f"{text} {text}"
    if change == 4:
        return ""
    return text


def real(file, seed, evaluate):
    path = os.path.join(arguments.data, file)
    with (gzip.open(path, "rt", encoding="utf8") if path.endswith(".gz") else open(path, encoding="utf8")) as opened:
        dataset = json.load(opened)["data"]
    draw = random.Random(seed)
    recipes, predictions, numbers = [], {}, {}
    for article in dataset:
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for qa in paragraph["qas"]:
                answers = qa["answers"]
                start = draw.randrange(len(context))
                end = min(len(context), start + draw.randint(1, 40))
                if answers and draw.random() < 0.7:
                    answer = draw.choice(answers)
                    start = max(0, answer["answer_start"] + draw.choice([-8, -4, 0, 0, 0, 0, 3]))
                    end = min(len(context), answer["answer_start"] + len(answer["text"]) + draw.choice([-2, 0, 0, 0, 0, 6, 12]))
                    end = max(start, end)
                change = draw.choice([0, 0, 0, 0, 1, 2, 3, 4])
                number = draw.randint(0, 50) / 50
                recipes.append([start, end, change, number])
                predictions[qa["id"]] = changed(context[start:end], change)
                numbers[qa["id"]] = number
    return {"file": file, "recipes": recipes, **evaluate(dataset, predictions, numbers)}


found = pairs(600)
golden = {
    "pairs": [judged(*pair) for pair in found],
    "adversarial": adversarial(found),
    "real": [
        real("squad/squad2-dev-part.json", 3, lambda data, answers, numbers: {"squad2": squad2_figures(data, answers, numbers, 0.6)}),
        real("squad/xquad-en-dev.json", 4, lambda data, answers, _: {"squad1": squad1.evaluate(data, answers)}),
        real("korquad/korquad1-dev-part.json", 5, lambda data, answers, _: {"korquad": korquad.evaluate(data, answers)}),
    ],
}
with open(os.path.join(os.path.dirname(__file__), "question-metrics.json"), "w", encoding="utf8") as file:
    json.dump(golden, file, ensure_ascii=True, separators=(",", ":"))
    file.write("\n")
print({key: len(value) for key, value in golden.items()}, sum(len(each["recipes"]) for each in golden["real"]), "real predictions")
