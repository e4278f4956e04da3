"""Writes token-aggregation.json beside this script: what transformers' token-classification pipeline makes of given logits.

    python test/golden/make_token_aggregation_golden.py

No model is run: the pipeline's own `postprocess` is given random logits for the pieces of texts, once with each aggregation
strategy. Texts have words of several pieces, punctuation, unknown words, Hangul and emoji; none has letters whose number changes
when they are normalised, since the pipeline tells pieces of one word by the length of their text. Offsets count code points.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from transformers import BertTokenizerFast, TokenClassificationPipeline
from transformers.pipelines.token_classification import AggregationStrategy

SEED = 20181011
VOCABULARY = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the chef cook ##ed ##s ate a meal in new york ##er , . ' s - 한국 ##어 안녕 😀 ##a ##b ##c micro ##soft ##ly"
).split()
LABELS = {
    "bio": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-creative-work", "I-creative-work"],
    "io": ["O", "PER", "LOC"],
    "plain": ["NOUN", "VERB", "PUNCT"],
}
TEXTS = [
    "The chef cooked, ate a meal.",
    "the chef's new-york cooks ate microsoftly",
    "안녕 한국어 😀 the 😀chef ate zebras in New York",
    "a",
    "xyz abc aabbcc cookeds.cooked",
    "new yorker new yorker   new\nyorker , , ,",
]
# So that one label often wins clearly and sometimes barely.
SCALES = [4.0, 1.0, 0.1]


def main():
    folder = Path(__file__).parent
    tokenizer = BertTokenizerFast(vocab=vocabulary(), do_lower_case=True)
    rng = np.random.default_rng(SEED)
    cases = []
    for kind, labels in LABELS.items():
        for i, text in enumerate(TEXTS):
            encoded = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt")
            shape = (1, encoded["input_ids"].shape[1], len(labels))
            logits = (rng.normal(size=shape) * SCALES[i % 3]).round(3).astype(np.float32)
            cases.append(case(tokenizer, kind, text, encoded, torch.from_numpy(logits)))
    golden = {"vocabulary": VOCABULARY, "labels": LABELS, "cases": cases}
    (folder / "token-aggregation.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


def vocabulary():
    return {token: i for i, token in enumerate(VOCABULARY)}


def case(tokenizer, kind, text, encoded, logits):
    pipeline = TokenClassificationPipeline.__new__(TokenClassificationPipeline)
    pipeline.tokenizer = tokenizer
    pipeline.model = SimpleNamespace(config=SimpleNamespace(id2label=dict(enumerate(LABELS[kind]))))
    outputs = {**encoded, "logits": logits, "sentence": text}
    results = {
        strategy.value: [
            [item.get("entity_group", item.get("entity")), int(item["start"]), int(item["end"]), float(item["score"])]
            for item in pipeline.postprocess([outputs], strategy, ignore_labels=["nothing is ignored"])
        ]
        for strategy in AggregationStrategy
    }
    return {
        "kind": kind,
        "text": text,
        "ids": encoded["input_ids"][0].tolist(),
        "logits": [[round(float(value), 3) for value in row] for row in logits[0]],
        "results": results,
    }


main()
