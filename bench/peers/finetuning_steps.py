"""Fine-tuning steps in PyTorch + Hugging Face transformers: the peer of `npm run bench -- finetune`.

    python bench/peers/finetuning_steps.py FOLDER --threads 2 --dropout 0.1 --seed 0

FOLDER holds what Pleiad wrote: start/ (a model folder with its head), settings.json, train.jsonl (a line a step: ids, types,
mask, targets, rate) and, of a classifier, dev.jsonl (a line a batch). `targets` are what the loss reads: labels, or start_positions and
end_positions. So both sides have the same start, the same batches in the same order, the
same learning rate at each step, the same decay groups and clipping. Dropout, where it is on, draws its own masks.

After `ready` each line on standard input is a command, answered by one line of JSON:
    gradients FILE   gradients of the first step, without an update, as safetensors
    run N            N steps: {"ms": […], "losses": […]}
    evaluate         {"accuracy": …}, of a classifier
    quit
"""

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--dropout", type=float, default=0.0)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch is loaded: its OpenMP reads this once

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch.nn.functional import cross_entropy  # noqa: E402
from transformers import AutoModelForQuestionAnswering, AutoModelForSequenceClassification  # noqa: E402

CLASSES = {
    "text-classification": AutoModelForSequenceClassification,
    "question-answering": AutoModelForQuestionAnswering,
}


def lines(name):
    with open(os.path.join(arguments.folder, name)) as file:
        return [json.loads(line) for line in file]


class Trainer:
    def __init__(self):
        with open(os.path.join(arguments.folder, "settings.json")) as file:
            self.settings = json.load(file)
        dropout = dict(hidden_dropout_prob=arguments.dropout, attention_probs_dropout_prob=arguments.dropout)
        start = os.path.join(arguments.folder, "start")
        model_class = CLASSES[self.settings["task"]]
        self.model = model_class.from_pretrained(start, classifier_dropout=arguments.dropout, **dropout)
        self.model.train()
        self.batches = lines("train.jsonl")
        self.step = 0
        self.optimizer = self.make_optimizer()

    def make_optimizer(self):
        scales = self.settings["rateScales"]  # by parameter
        groups = {}
        for name, parameter in self.model.named_parameters():
            decayed = not ("bias" in name or "LayerNorm" in name)
            groups.setdefault((decayed, scales[name]), []).append(parameter)
        return torch.optim.AdamW(
            [
                dict(params=parameters, weight_decay=self.settings["weightDecay"] if decayed else 0.0, scale=scale)
                for (decayed, scale), parameters in groups.items()
            ],
            lr=1.0,
            betas=(self.settings["adamBeta1"], self.settings["adamBeta2"]),
            eps=self.settings["adamEpsilon"],
            fused=True,
        )

    def loss(self, batch):
        inputs = {name: torch.tensor(batch[key]) for name, key in INPUTS.items()}
        targets = {name: torch.tensor(values) for name, values in batch["targets"].items()}
        if "labels" in targets:
            return self.model(**inputs, **targets).loss
        # As Pleiad does, and transformers' own loss does not: padding is no answer.
        output = self.model(**inputs)
        padding = torch.where(inputs["attention_mask"] == 0, float("-inf"), 0.0)
        return 0.5 * (
            cross_entropy(output.start_logits + padding, targets["start_positions"])
            + cross_entropy(output.end_logits + padding, targets["end_positions"])
        )

    def gradients(self, path):
        self.loss(self.batches[0]).backward()
        found = {name: parameter.grad.clone() for name, parameter in self.model.named_parameters() if parameter.grad is not None}
        self.optimizer.zero_grad(set_to_none=True)
        save_file(found, path)
        return {"tensors": len(found)}

    def run(self, count):
        ms, losses = [], []
        for _ in range(count):
            started = time.perf_counter()
            batch = self.batches[self.step]
            loss = self.loss(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings["clipNorm"])
            for group in self.optimizer.param_groups:
                group["lr"] = batch["rate"] * group["scale"]
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
            ms.append(1000 * (time.perf_counter() - started))
            self.step += 1
        return {"ms": ms, "losses": losses}

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        hits = rows = 0
        for batch in lines("dev.jsonl"):
            logits = self.model(**{name: torch.tensor(batch[key]) for name, key in INPUTS.items()}).logits
            labels = torch.tensor(batch["targets"]["labels"])
            hits += (logits.argmax(-1) == labels).sum().item()
            rows += len(labels)
        self.model.train()
        return {"accuracy": hits / rows}


INPUTS = dict(input_ids="ids", token_type_ids="types", attention_mask="mask")


def main():
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    trainer = Trainer()
    commands = {
        "gradients": lambda path: trainer.gradients(path),
        "run": lambda count: trainer.run(int(count)),
        "evaluate": lambda: trainer.evaluate(),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        if name == "quit":
            return
        print(json.dumps(commands[name](*words)), flush=True)


if __name__ == "__main__":
    main()
