"""Fine-tuning for extractive question answering in PyTorch + Hugging Face transformers: the peer of `pleiad finetune`.

    python bench/peers/question_answering.py --from MODEL --train A.json.gz B.json --dev dev.json --epochs 2 --out qa-torch/

The same recipe as Pleiad's: windows of --length tokens that share --stride pieces, [CLS] as the answer of windows that do not
show it, batches of windows of similar length in shuffled order, AdamW with decay on all but biases and layer norms, linear rate
with warm-up, the gradient clipped to norm 1. Answers are found as transformers' run_qa.py does: the best start + end logit over
all windows, at most --max-answer-length pieces; `null` is the least sure [CLS] of all windows. Reads SQuAD 1.1 and 2.0 files.

Prints a line of JSON after each epoch: exact match and F1 of questions with an answer, and, where some have none, the best F1 of
any threshold; with --fit, F1 at the threshold that is best on those questions, HasAns and NoAns apart; and milliseconds a step, all
in all.
"""

import argparse
import collections
import gzip
import json
import os
import random
import re
import string
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--from", dest="start", required=True)
parser.add_argument("--train", nargs="+", required=True)
parser.add_argument("--dev", nargs="+", required=True)
parser.add_argument("--fit", nargs="+", help="held-out training questions, some without an answer, for the threshold")
parser.add_argument("--no-answer-share", type=float, help="of the questions that the threshold is for; default: as in --fit")
parser.add_argument("--out")
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--length", type=int, default=384)
parser.add_argument("--stride", type=int, default=128)
parser.add_argument("--max-answer-length", type=int, default=30)
parser.add_argument("--learning-rate", type=float, default=1e-4)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, help="ends after so many steps, for timing")
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch is loaded: its OpenMP reads this once

import torch  # noqa: E402
from transformers import AutoModelForQuestionAnswering, AutoTokenizer  # noqa: E402


def questions_of(paths):
    for path in paths:
        with (gzip.open(path, "rt", encoding="utf8") if path.endswith(".gz") else open(path, encoding="utf8")) as file:
            articles = json.load(file)["data"]
        for article in articles:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    yield {**question, "context": paragraph["context"]}


def windows_of(questions, tokenizer):
    """Each window with its ids, the places of its pieces in the context and the positions of the first answer."""
    for index, question in enumerate(questions):
        asked = tokenizer(question["question"].lstrip(), add_special_tokens=False)["input_ids"][:64]
        encoded = tokenizer(
            tokenizer.decode(asked) if len(asked) == 64 else question["question"].lstrip(),
            question["context"],
            truncation="only_second",
            max_length=arguments.length,
            stride=arguments.stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        answer = next(iter(question["answers"]), None)
        for row in range(len(encoded["input_ids"])):
            in_context = [part == 1 for part in encoded.sequence_ids(row)]
            places = [place if inside else None for place, inside in zip(encoded["offset_mapping"][row], in_context)]
            yield {
                "question": index,
                "ids": encoded["input_ids"][row],
                "types": encoded["token_type_ids"][row],
                "places": places,
                "label": label_of(places, answer),
            }


def label_of(places, answer):
    if answer is None:
        return 0, 0
    start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
    inside = [i for i, place in enumerate(places) if place is not None]
    touched = [i for i in inside if places[i][0] < end and places[i][1] > start]
    is_whole = touched and places[inside[0]][0] <= start and places[inside[-1]][1] >= end
    return (touched[0], touched[-1]) if is_whole else (0, 0)


def batches_of(windows, draw):
    """Windows are shuffled, sorted by length in pools of 50 batches, cut into batches, and these are shuffled."""
    order = list(range(len(windows)))
    draw.shuffle(order)
    batches = []
    for pool in range(0, len(order), 50 * arguments.batch):
        rows = sorted(order[pool : pool + 50 * arguments.batch], key=lambda row: len(windows[row]["ids"]))
        batches += [rows[at : at + arguments.batch] for at in range(0, len(rows), arguments.batch)]
    draw.shuffle(batches)
    return [[windows[row] for row in batch] for batch in batches]


def tensors_of(batch, pad):
    longest = max(len(window["ids"]) for window in batch)
    padded = lambda name, value: torch.tensor([window[name] + [value] * (longest - len(window["ids"])) for window in batch])
    mask = torch.tensor([[1] * len(window["ids"]) + [0] * (longest - len(window["ids"])) for window in batch])
    return {"input_ids": padded("ids", pad), "token_type_ids": padded("types", 0), "attention_mask": mask}


@torch.no_grad()
def answers_of(model, questions, windows, pad):
    model.eval()
    best = [(float("-inf"), "") for _ in questions]
    null = [float("inf") for _ in questions]
    ordered = sorted(windows, key=lambda window: len(window["ids"]))
    for at in range(0, len(ordered), 32):
        batch = ordered[at : at + 32]
        output = model(**tensors_of(batch, pad))
        for window, starts, ends in zip(batch, output.start_logits, output.end_logits):
            index = window["question"]
            null[index] = min(null[index], (starts[0] + ends[0]).item())
            inside = [i for i, place in enumerate(window["places"]) if place is not None]
            first, last = inside[0], inside[-1] + 1
            scores = starts[first:last, None] + ends[None, first:last]
            allowed = torch.ones_like(scores).triu().tril(arguments.max_answer_length - 1).bool()
            flat = scores.masked_fill(~allowed, float("-inf")).argmax().item()
            start, end = first + flat // (last - first), first + flat % (last - first)
            score = (starts[start] + ends[end]).item()
            if score > best[index][0]:
                best[index] = (score, questions[index]["context"][window["places"][start][0] : window["places"][end][1]])
    model.train()
    return best, null


def words(text):
    text = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(prediction, reference):
    a, b = words(prediction), words(reference)
    if not a or not b:
        return float(a == b)
    common = sum((collections.Counter(a) & collections.Counter(b)).values())
    return 2 * common / (len(a) + len(b))


def scores_of(questions, best):
    """Exact match and F1 of each question's answer, were it answered."""
    return [
        (max(words(answer) == words(text) for text in texts), max(f1(answer, text) for text in texts))
        for (_, answer), question in zip(best, questions)
        for texts in [[each["text"] for each in question["answers"]] or [""]]
    ]


def best_threshold(questions, best, null, share=None):
    """The margin of [CLS] up to which a question is answered, where F1 is highest, and that F1; `share` of the questions have no answer."""
    scores = scores_of(questions, best)
    margin = lambda i: null[i] - best[i][0]
    without = sum(not question["answers"] for question in questions)
    share = without / len(questions) if share is None else share
    lost = share * len(questions) / max(1, without)
    gained = (1 - share) * len(questions) / max(1, len(questions) - without)
    current = highest = lost * without
    threshold = float("-inf")
    for i in sorted(range(len(questions)), key=margin):
        current += gained * scores[i][1] if questions[i]["answers"] else -lost
        if current > highest:
            highest, threshold = current, margin(i)
    return threshold, 100 * highest / len(questions)


def at_threshold(questions, best, null, threshold):
    """F1 where questions above the threshold are answered with nothing."""
    answered = [null[i] - best[i][0] <= threshold for i in range(len(questions))]
    values = [
        (float(not is_answered) if not question["answers"] else value if is_answered else 0.0)
        for question, (_, value), is_answered in zip(questions, scores_of(questions, best), answered)
    ]
    mean = lambda wanted: 100 * sum(value for value, q in zip(values, questions) if wanted(q)) / max(1, sum(map(wanted, questions)))
    return {
        "f1": mean(lambda q: True),
        "f1_with_answer": mean(lambda q: bool(q["answers"])),
        "f1_without": mean(lambda q: not q["answers"]),
    }


def figures(questions, best, null):
    scores = scores_of(questions, best)
    answerable = [scores[i] for i, question in enumerate(questions) if question["answers"]]
    mean = lambda values: 100 * sum(values) / max(1, len(values))
    found = {"HasAns_exact": mean([exact for exact, _ in answerable]), "HasAns_f1": mean([value for _, value in answerable])}
    if len(answerable) < len(questions):
        found |= {"best_f1": best_threshold(questions, best, null)[1], "answering_nothing": mean([not q["answers"] for q in questions])}
    return found


def main():
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    draw = random.Random(arguments.seed)
    tokenizer = AutoTokenizer.from_pretrained(arguments.start)
    dropout = dict(hidden_dropout_prob=arguments.dropout, attention_probs_dropout_prob=arguments.dropout)
    model = AutoModelForQuestionAnswering.from_pretrained(arguments.start, **dropout).float()
    model.train()
    train = list(windows_of(list(questions_of(arguments.train)), tokenizer))
    dev_questions = list(questions_of(arguments.dev))
    dev = list(windows_of(dev_questions, tokenizer))
    fit_questions = list(questions_of(arguments.fit or []))
    fit = list(windows_of(fit_questions, tokenizer))
    groups = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[not ("bias" in name or "LayerNorm" in name)].append(parameter)
    decays = [dict(params=parameters, weight_decay=0.01 if decayed else 0.0) for decayed, parameters in groups.items()]
    optimizer = torch.optim.AdamW(decays, lr=1.0, betas=(0.9, 0.999), eps=1e-6, fused=True)
    total = arguments.epochs * ((len(train) + arguments.batch - 1) // arguments.batch)
    warmup = max(1, round(0.1 * total))
    step, ms = 0, []
    print(json.dumps({"windows": len(train), "steps": total}), flush=True)
    for epoch in range(arguments.epochs):
        for batch in batches_of(train, draw):
            started = time.perf_counter()
            labels = {name: torch.tensor([window["label"][side] for window in batch]) for side, name in enumerate(["start_positions", "end_positions"])}
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16"):
                loss = model(**tensors_of(batch, tokenizer.pad_token_id), **labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            step += 1
            rate = arguments.learning_rate * min(step / warmup, max(0.0, (total - step) / max(1, total - warmup)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            ms.append(1000 * (time.perf_counter() - started))
            if step % 50 == 0:
                print(json.dumps({"step": step, "loss": loss.item(), "ms": sum(ms[-50:]) / 50}), flush=True)
            if step == arguments.steps:
                print(json.dumps({"step": step, "msAStep": sum(ms) / len(ms)}), flush=True)
                return
        answers = answers_of(model, dev_questions, dev, tokenizer.pad_token_id)
        found = figures(dev_questions, *answers)
        if fit:
            fitted = answers_of(model, fit_questions, fit, tokenizer.pad_token_id)
            threshold, best = best_threshold(fit_questions, *fitted, arguments.no_answer_share)
            found |= {"fitted": {"held_out_f1": best, **at_threshold(dev_questions, *answers, threshold)}}
        print(json.dumps({"epoch": epoch + 1, "step": step, "msAStep": sum(ms) / len(ms), **found}), flush=True)
    if arguments.out:
        model.save_pretrained(arguments.out)
        tokenizer.save_pretrained(arguments.out)


if __name__ == "__main__":
    main()
