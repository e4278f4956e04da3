"""Ids and segment ids of texts by transformers' AutoTokenizer, for folders named on standard input.

Standard input: {"folders": [path, ...], "texts": [[text, pair or null], ...]}; needs transformers, not torch.
Standard output: {path: [[ids, segment ids], ...]}
"""

import json
import sys

from transformers import AutoTokenizer

task = json.load(sys.stdin)
found = {}
for folder in task["folders"]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encodings = [tokenizer(text, pair) if pair is not None else tokenizer(text) for text, pair in task["texts"]]
    found[folder] = [[one["input_ids"], one["token_type_ids"]] for one in encodings]
json.dump(found, sys.stdout)
