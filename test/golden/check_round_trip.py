"""Makes model folders with transformers, and compares them with what Pleiad has written from them.

    python test/golden/check_round_trip.py make DIR
    python test/golden/check_round_trip.py check DIR OTHER

`make` writes one folder for every class that Pleiad knows, and some in other forms: float16, shards, the .bin form before
PyTorch 1.6. `check` loads each folder of DIR and the one of the same name in OTHER; it fails when transformers warns, when a
weight of OTHER is missing, unexpected or differs in one bit, or when a logit differs. Prints one JSON object. Nothing is
downloaded.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from check_huggingface_folder import load_strictly, no_warnings
from transformers import BertConfig, ElectraConfig

HEADS = ["Model", "ForPreTraining", "ForMaskedLM", "ForQuestionAnswering", "ForSequenceClassification",
         "ForTokenClassification", "ForMultipleChoice"]
SIZES = dict(vocab_size=29, num_hidden_layers=2, intermediate_size=14, max_position_embeddings=24)
CONFIGS = {
    "Electra": ElectraConfig(embedding_size=5, hidden_size=9, num_attention_heads=3, **SIZES),
    "Bert": BertConfig(hidden_size=10, num_attention_heads=2, **SIZES),
}
INPUT_IDS = [[2, 7, 11, 3, 5, 3], [2, 28, 3, 0, 0, 0]]
TOKEN_TYPE_IDS = [[0, 0, 0, 0, 1, 1], [0] * 6]
ATTENTION_MASK = [[1] * 6, [1, 1, 1, 0, 0, 0]]


def make(folder):
    torch.manual_seed(0)
    for family, config in CONFIGS.items():
        for head in HEADS:
            config.num_labels = 3 if head == "ForSequenceClassification" else 2
            model = random_model(family + head, config)
            model.save_pretrained(folder / (family + head))
    config = CONFIGS["Electra"]
    random_model("ElectraForMaskedLM", config).half().save_pretrained(folder / "float16")
    random_model("ElectraForPreTraining", config).save_pretrained(folder / "shards", max_shard_size="4KB")
    model = random_model("BertForPreTraining", CONFIGS["Bert"])
    model.config.architectures = ["BertForPreTraining"]
    model.config.save_pretrained(folder / "legacy-bin")
    path = folder / "legacy-bin" / "pytorch_model.bin"
    torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)


def random_model(class_name, config):
    """Biases too are random: transformers starts them at 0."""
    model = getattr(transformers, class_name)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def check(folder, other):
    report = {}
    for path in sorted(folder.iterdir()):
        class_name = json.loads((path / "config.json").read_text())["architectures"][0]
        model_class = getattr(transformers, class_name)
        theirs = load_theirs(model_class, path)
        with no_warnings(other / path.name):
            ours = load_strictly(model_class, other / path.name)
        left, right = theirs.state_dict(), ours.state_dict()
        assert list(left) == list(right), path.name
        differing = [key for key in left if not same_bits(left[key], right[key])]
        assert not differing, f"{path.name}: {differing}"
        report[path.name] = {"class": class_name, "tensors": len(left), "difference": difference(theirs, ours)}
    print(json.dumps(report, indent=1))


def load_theirs(model_class, path):
    if not (path / "pytorch_model.bin").exists():
        return model_class.from_pretrained(path, local_files_only=True, dtype=torch.float32).eval()
    model = model_class(transformers.AutoConfig.from_pretrained(path))
    model.load_state_dict(torch.load(path / "pytorch_model.bin", weights_only=True))
    return model.eval()


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a.view(torch.uint8), b.view(torch.uint8))


def difference(theirs, ours):
    """Largest difference of any output; for multiple choice both rows are choices of one question."""
    inputs = dict(input_ids=INPUT_IDS, token_type_ids=TOKEN_TYPE_IDS, attention_mask=ATTENTION_MASK)
    tensors = {name: torch.tensor(rows) for name, rows in inputs.items()}
    if type(theirs).__name__.endswith("MultipleChoice"):
        tensors = {name: tensor[None] for name, tensor in tensors.items()}
    with torch.no_grad():
        pairs = zip(theirs(**tensors).to_tuple(), ours(**tensors).to_tuple())
    return max((a - b).abs().max().item() for a, b in pairs)


if __name__ == "__main__":
    commands = {"make": make, "check": check}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit("usage: check_round_trip.py make DIR | check DIR OTHER")
    commands[sys.argv[1]](*map(Path, sys.argv[2:]))
