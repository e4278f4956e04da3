"""Prints what transformers makes of a classifier that Pleiad fine-tuned: its problem type, labels, logits, loss and answer.

    python test/golden/check_problem_type.py DIR TEXT TARGET

TARGET is JSON, as the loss reads it: [[1.0, 0.0]] for several labels, [2.5] for a number. The loss is chosen by config.json's
problem_type. The answer is that of the text-classification pipeline with all labels. Nothing is downloaded.
"""

import json
import sys

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline


def main():
    folder, text, target = sys.argv[1:]
    model = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    with torch.no_grad():
        result = model(**tokenizer(text, return_tensors="pt"), labels=torch.tensor(json.loads(target)))
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")
    answer = classify(text, top_k=None)
    print(
        json.dumps(
            {
                "problemType": model.config.problem_type,
                "labels": [model.config.id2label[i] for i in range(model.config.num_labels)],
                "logits": result.logits.flatten().tolist(),
                "loss": result.loss.item(),
                "answer": answer,
            }
        )
    )


if __name__ == "__main__":
    main()
