"""Loads a model folder written by Pleiad with transformers and prints what it computes.

    python test/golden/check_huggingface_folder.py DIR TEXT

DIR is of any class of ELECTRA or BERT; `architectures` in its config.json says which.
Fails when a weight is missing, unexpected or of another shape, and when transformers warns of anything while loading.
Prints one JSON object with the token ids, the tokens and all outputs by name, rounded to seven digits; for a masked language
model also the five most likely tokens of each [MASK] in TEXT with their logits and probabilities (of every token when TEXT
has no [MASK]). Multiple choice reads TEXT and TEXT without its last word. Nothing is downloaded.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer

HEADS = ["Model", "ForPreTraining", "ForMaskedLM", "ForQuestionAnswering", "ForSequenceClassification",
         "ForTokenClassification", "ForMultipleChoice"]
CLASSES = {family + head: getattr(transformers, family + head) for family in ("Electra", "Bert") for head in HEADS}
NUM_CANDIDATES = 5


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: check_huggingface_folder.py DIR TEXT")
    folder, text = Path(sys.argv[1]), sys.argv[2]
    architecture = json.loads((folder / "config.json").read_text()).get("architectures", [None])[0]
    if architecture not in CLASSES:
        sys.exit(f"{folder}/config.json: architectures is {architecture}, expected one of {', '.join(CLASSES)}")
    with no_warnings(folder):
        model = load_strictly(CLASSES[architecture], folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    ids = encoded["input_ids"][0].tolist()
    given = encoded
    if architecture.endswith("MultipleChoice"):
        texts = [text, text.rsplit(" ", 1)[0]]
        given = {key: value[None] for key, value in tokenizer(texts, return_tensors="pt", padding=True).items()}
    with torch.no_grad():
        outputs = model(**given)
    result = {
        "architecture": architecture,
        "tokenizer": type(tokenizer).__name__,
        "ids": ids,
        "tokens": tokenizer.convert_ids_to_tokens(ids),
        "offsets": offsets,  # code points, not UTF-16 units
        "tokenTypeIds": encoded["token_type_ids"][0].tolist() if "token_type_ids" in encoded else None,
    }
    result["outputs"] = {
        key: [float(f"{number:.7g}") for number in value.flatten().tolist()]
        for key, value in outputs.items()
        if key.endswith(("logits", "last_hidden_state", "pooler_output"))
    }
    if "MaskedLM" in architecture or architecture == "BertForPreTraining":
        logits = outputs["prediction_logits" if architecture == "BertForPreTraining" else "logits"][0]
        result["candidates"] = candidates(logits, ids, tokenizer)
    print(json.dumps(result, indent=1, ensure_ascii=False))


class no_warnings(logging.Handler):
    """Ends the script when transformers, or Python, warns of something."""

    def __init__(self, folder):
        super().__init__(logging.WARNING)
        self.folder = folder
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())

    def __enter__(self):
        logging.getLogger("transformers").addHandler(self)
        self.caught = warnings.catch_warnings(record=True)
        self.recorded = self.caught.__enter__()
        warnings.simplefilter("always")

    def __exit__(self, *error):
        self.caught.__exit__(*error)
        logging.getLogger("transformers").removeHandler(self)
        # Python's own deprecations are no matter of the folder.
        of_python = (DeprecationWarning, PendingDeprecationWarning)
        texts = self.messages + [str(w.message) for w in self.recorded if not issubclass(w.category, of_python)]
        if texts and not any(error):
            sys.exit(f"loading {self.folder}, transformers warns: {json.dumps(texts, indent=1)}")


def load_strictly(model_class, folder):
    model, info = model_class.from_pretrained(
        folder, output_loading_info=True, local_files_only=True, dtype=torch.float32
    )
    faults = {kind: sorted(map(str, info[kind])) for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[kind]}
    if faults:
        sys.exit(f"{folder} does not fit {model_class.__name__}: {json.dumps(faults, indent=1)}")
    return model.eval()


def candidates(logits, ids, tokenizer):
    masked = [position for position, token in enumerate(ids) if token == tokenizer.mask_token_id]
    probabilities = torch.softmax(logits, -1)
    found = []
    for position in masked or range(len(ids)):
        best = logits[position].topk(NUM_CANDIDATES)
        for value, token in zip(best.values.tolist(), best.indices.tolist()):
            found.append(
                {
                    "position": position,
                    "id": token,
                    "token": tokenizer.convert_ids_to_tokens(token),
                    "logit": value,
                    "probability": probabilities[position, token].item(),
                }
            )
    return found


if __name__ == "__main__":
    main()
