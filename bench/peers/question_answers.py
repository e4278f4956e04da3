"""Answers questions with PyTorch + transformers: the model, one forward pass a batch, the best span by start and end.

    python bench/peers/question_answers.py MODEL --threads 2 --serve

Reads a line of JSON {"pairs": [[question, context], ...], "batch": n}, answers a line {"ms": ..., "answers": [...]}.
"""

import argparse
import json
import sys
import time

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

LONGEST_ANSWER = 30
LONGEST_ROW = 384


def answers_of(model, tokenizer, pairs):
    questions, contexts = [list(side) for side in zip(*pairs)]
    rows = tokenizer(
        questions,
        contexts,
        padding=True,
        truncation="only_second",
        max_length=LONGEST_ROW,
        return_offsets_mapping=True,
        return_tensors="pt",
    )
    offsets = rows.pop("offset_mapping")
    with torch.inference_mode():
        output = model(**rows)
    answers = []
    for index, (_, context) in enumerate(pairs):
        allowed = torch.tensor([kind == 1 for kind in rows.sequence_ids(index)])
        start = output.start_logits[index].masked_fill(~allowed, float("-inf"))
        end = output.end_logits[index].masked_fill(~allowed, float("-inf"))
        scores = start[:, None] + end[None, :]
        length = scores.shape[0]
        band = torch.triu(torch.ones(length, length)) - torch.triu(torch.ones(length, length), LONGEST_ANSWER)
        best = int(scores.masked_fill(band == 0, float("-inf")).argmax())
        first, last = divmod(best, length)
        answers.append(context[offsets[index][first][0] : offsets[index][last][1]])
    return answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForQuestionAnswering.from_pretrained(arguments.model).eval()
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        asked = json.loads(line)
        pairs, batch = asked["pairs"], asked["batch"]
        begun = time.perf_counter()
        answers = []
        for at in range(0, len(pairs), batch):
            answers += answers_of(model, tokenizer, pairs[at : at + batch])
        print(json.dumps({"ms": 1000 * (time.perf_counter() - begun), "answers": answers}), flush=True)


if __name__ == "__main__":
    main()
