"""Writes sentence-embeddings.json beside this script: vectors of sentences by all-MiniLM-L6-v2 as sentence-transformers makes them
(mean over all tokens, then length 1: its modules.json), and those of its other poolings, by PyTorch and transformers.

    /tmp/golden/bin/python test/golden/make_sentence_golden.py FOLDER_OF_ALL_MINILM
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

HERE = Path(__file__).parent
SENTENCES = [
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
    "",
    "Ein Satz, der nicht englisch ist 🍕 — und " + "sehr " * 40 + "lang.",
]
DIGITS = 8


def main(folder: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).double().eval()
    batch = tokenizer(SENTENCES, padding=True, truncation=True, max_length=256, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][:, :, None].double()
    mean = (hidden * mask).sum(1) / mask.sum(1)
    vectors = torch.nn.functional.normalize(mean, dim=1)
    poolings = {
        "cls": hidden[:, 0],
        "mean": mean,
        "max": hidden.masked_fill(mask == 0, float("-inf")).max(1).values,
    }
    golden = {
        "sentences": SENTENCES,
        "embeddings": [[round(value, DIGITS) for value in row] for row in vectors.tolist()],
        "similarities": [round(value, DIGITS) for value in (vectors[1:] @ vectors[0]).tolist()],
        # The first few units are enough to tell poolings apart.
        "poolings": {name: [[round(value, DIGITS) for value in row[:12]] for row in rows.tolist()] for name, rows in poolings.items()},
    }
    (HERE / "sentence-embeddings.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")


main(sys.argv[1])
