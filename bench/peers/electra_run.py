"""Pre-trains ELECTRA in PyTorch + Hugging Face transformers for a given time: the opponent of `npm run bench -- speedrun`.

    python bench/peers/electra_run.py --plan plan.json --run FOLDER --threads 2

plan.json has what Pleiad's run has: folders of the starting models, files of rows, special ids, and settings by Pleiad's names.
What changes over the run (rate, mask rate, rows and their number) is a function of how much of the training time is over, so the
schedule ends when the time does. Masks are drawn anew for every batch, by torch. Attention is scaled_dot_product_attention, the
optimizer fused AdamW, as in electra_step.py. `precision` "auto" times a few steps in fp32 and under bf16 autocast and takes the faster.

Prints `ready`, then answers lines on standard input: `train MS` trains until MS milliseconds of training are over, writes FOLDER/state.pt,
FOLDER/generator and FOLDER/discriminator, and prints a line of JSON; `where` prints that line and trains nothing; `quit` ends. What is in
FOLDER is gone on from. SIGINT and SIGTERM end a `train` after the step under way, with everything written.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--plan", required=True)
parser.add_argument("--run", required=True)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch is loaded: its OpenMP reads this once

import numpy  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from transformers import AutoTokenizer, ElectraForMaskedLM, ElectraForPreTraining  # noqa: E402

SAVE_EVERY_MS = 120_000
MASK_STEP = 0.005  # mask rates are multiples of this
TIMED_STEPS = 6
BEAT_S, LONGEST_BEAT_S = 0.5, 5.0  # the thread may wait for a step of the model on a busy machine


class Joint(torch.nn.Module):
    """Generator and discriminator over one embeddings module (arXiv 2003.10555, eq. 1-3)."""

    def __init__(self, start, settings):
        super().__init__()
        dropout = dict(
            hidden_dropout_prob=settings["hiddenDropout"], attention_probs_dropout_prob=settings["attentionDropout"]
        )
        self.discriminator = ElectraForPreTraining.from_pretrained(start["discriminator"], **dropout).float()
        self.generator = ElectraForMaskedLM.from_pretrained(start["generator"], **dropout).float()
        self.generator.electra.embeddings = self.discriminator.electra.embeddings
        self.generator.generator_lm_head.weight = self.discriminator.electra.embeddings.word_embeddings.weight

    def forward(self, ids, types, attention, masked, selected):
        """ids, types, attention, masked int64 [B, S]; selected bool [B, S], what is to be predicted."""
        hidden = self.generator.electra(masked, token_type_ids=types, attention_mask=attention).last_hidden_state
        logits = self.generator.generator_lm_head(self.generator.generator_predictions(hidden[selected])).float()  # [M, V]
        mlm_loss = F.cross_entropy(logits, ids[selected])
        with torch.no_grad():  # Gumbel-max: argmax(logits - log(e)), e ~ Exp(1), is a draw from softmax(logits)
            corrupted = ids.masked_scatter(selected, (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1))
            is_replaced = (corrupted != ids).float()
        output = self.discriminator(corrupted, token_type_ids=types, attention_mask=attention).logits.float()
        real = attention.bool()
        return mlm_loss, F.binary_cross_entropy_with_logits(output[real], is_replaced[real])


class Clock:
    """Stands still while the process is stopped (SIGSTOP, Ctrl-Z): a thread notices that it slept far longer than it wanted."""

    def __init__(self):
        self.paused = 0.0
        threading.Thread(target=self.beat, daemon=True).start()

    def beat(self):
        while True:
            started = time.perf_counter()
            time.sleep(BEAT_S)
            slept = time.perf_counter() - started
            if slept > LONGEST_BEAT_S:
                self.paused += slept - BEAT_S

    def ms(self):
        return 1000 * (time.perf_counter() - self.paused)


class Rows:
    """Rows of one length, uint16 [rows, length]: in the order of the file, then in orders of torch's own."""

    def __init__(self, file):
        self.length = file["length"]
        self.epoch, self.order = 0, None
        self.ids = torch.from_numpy(numpy.fromfile(file["path"], dtype="<u2").astype("int64").reshape(-1, self.length))

    def take(self, position, count):
        taken = []
        for at in range(position, position + count):
            epoch, row = divmod(at, len(self.ids))
            if epoch == 0:
                taken.append(row)
                continue
            if self.epoch != epoch:
                self.epoch = epoch
                self.order = torch.randperm(len(self.ids), generator=torch.Generator().manual_seed(epoch))
            taken.append(int(self.order[row]))
        return self.ids[taken]


class Run:
    def __init__(self, plan):
        self.plan, self.settings = plan, plan["settings"]
        torch.manual_seed(plan["seed"])
        self.rows = [Rows(file) for file in plan["rows"]]
        self.model = Joint(plan["start"], self.settings).train()
        self.optimizer = self.make_optimizer()
        self.parameters = list(self.model.parameters())
        self.average = [p.detach().clone() for p in self.parameters] if self.settings["averageDecay"] else None
        self.state = dict(elapsedMs=0.0, steps=0, tokens=0, stage=0, position=0, precision=plan["precision"])
        self.interrupted = False
        self.clock = Clock()
        self.state_file = os.path.join(arguments.run, "state.pt")
        if os.path.exists(self.state_file):
            self.restore()
        elif self.state["precision"] == "auto":
            self.state["precision"] = self.faster_precision()
        self.saved_at = self.state["elapsedMs"]

    def make_optimizer(self):
        s = self.settings
        exempt = lambda name: "LayerNorm" in name or name.endswith("bias")
        named = list(self.model.named_parameters())
        groups = [
            {"params": [p for name, p in named if not exempt(name)], "weight_decay": s["weightDecay"]},
            {"params": [p for name, p in named if exempt(name)], "weight_decay": 0.0},
        ]
        betas = (s["adamBeta1"], s["adamBeta2"])
        return torch.optim.AdamW(groups, lr=0.0, betas=betas, eps=s["adamEpsilon"], fused=True)

    # What changes over the run; progress is 0 to 1.

    def rate(self, progress):
        s = self.settings
        warmup = s["warmupFraction"]
        warmed = min(1.0, progress / warmup) if warmup > 0 else 1.0
        if s["scheduleStyle"] == "reference":  # both at once, as in google-research/electra
            return s["learningRate"] * (1 - progress) * warmed
        return s["learningRate"] * (warmed if progress < warmup else (1 - progress) / (1 - warmup))

    def mask_prob(self, progress):
        s = self.settings
        first, last = s["maskProb"], s.get("maskProbEnd", s["maskProb"])
        return first + MASK_STEP * round(progress * (last - first) / MASK_STEP)

    def micro_batches(self, progress):
        s = self.settings
        first, last = s.get("accumulationStart", s["accumulation"]), s["accumulation"]
        done = min(1.0, progress / s["accumulationRamp"]) if s["accumulationRamp"] > 0 else 1.0
        return round(first + done * (last - first))

    def stage(self, progress):
        return max(i for i, stage in enumerate(self.plan["rows"]) if progress >= stage["begins"])

    # A step.

    def batch(self, progress):
        rows = self.rows[self.state["stage"]]
        count = max(1, round(self.settings["batchSize"] * self.settings["length"] / rows.length))
        ids = rows.take(self.state["position"], count)
        self.state["position"] += count
        return self.masked(ids, self.mask_prob(progress))

    def masked(self, ids, prob):
        special = self.plan["specialIds"]
        attention = (ids != special["padId"]).long()
        separators = (ids == special["sepId"]).long()
        types = (((separators.cumsum(1) - separators) == 1) & attention.bool()).long()
        candidates = attention.bool() & (ids != special["clsId"]) & (separators == 0)
        wanted = (prob * attention.sum(1, keepdim=True)).round().clamp(min=1)
        keys = torch.rand(ids.shape).masked_fill_(~candidates, 2.0)
        selected = (keys.argsort(1).argsort(1) < wanted) & candidates
        shown = torch.rand(ids.shape) < self.settings["maskKeepProb"]
        masked = ids.masked_fill(selected & ~shown, special["maskId"])
        return ids, types, attention, masked, selected

    def backward(self, batches):
        s = self.settings
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.state["precision"] == "bf16"):
                mlm_loss, disc_loss = self.model(*batch)
            ((s["mlmWeight"] * mlm_loss + s["discWeight"] * disc_loss) / len(batches)).backward()

    def step(self, progress):
        stage = self.stage(progress)
        if stage != self.state["stage"]:
            self.state |= dict(stage=stage, position=0)
        batches = [self.batch(progress) for _ in range(self.micro_batches(progress))]
        self.backward(batches)
        if self.settings["clipNorm"] > 0:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.settings["clipNorm"])
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(progress)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.state["steps"] += 1
        self.state["tokens"] += sum(int(attention.sum()) for _, _, attention, _, _ in batches)
        if self.average:
            updates = self.state["steps"]
            rate = 1 - min(self.settings["averageDecay"], (1 + updates) / (10 + updates))
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], rate)

    def faster_precision(self):
        """By the fastest of several steps of each, in turns: what else the machine does meanwhile should not decide."""
        batch = self.masked(self.rows[0].take(0, self.settings["batchSize"]), self.settings["maskProb"])
        took = {"fp32": [], "bf16": []}
        for _ in range(TIMED_STEPS + 1):
            for precision, times in took.items():
                self.state["precision"] = precision
                started = time.perf_counter()
                self.backward([batch])
                times.append(time.perf_counter() - started)
        self.optimizer.zero_grad(set_to_none=True)
        torch.manual_seed(self.plan["seed"])
        return min(took, key=lambda precision: min(took[precision][1:]))  # the first one warms up

    # The run.

    def train(self, until_ms):
        budget_ms = self.plan["budgetMs"]
        until_ms = min(until_ms, budget_ms)
        self.interrupted = False
        begun_ms = self.clock.ms() - self.state["elapsedMs"]
        while self.state["elapsedMs"] < until_ms and not self.interrupted:
            self.step(self.state["elapsedMs"] / budget_ms)
            if self.state["elapsedMs"] - self.saved_at >= SAVE_EVERY_MS:
                self.save()
            self.state["elapsedMs"] = self.clock.ms() - begun_ms
        self.save()
        self.export()
        return self.answer()

    def answer(self):
        has_models = os.path.exists(os.path.join(arguments.run, "models.json"))
        exported = json.load(open(os.path.join(arguments.run, "models.json"))) if has_models else None
        return {
            **{name: self.state[name] for name in ("elapsedMs", "steps", "tokens", "precision")},
            "torch": torch.__version__.split("+")[0],
            "isOver": self.state["elapsedMs"] >= self.plan["budgetMs"],
            "interrupted": self.interrupted,
            "hasModels": exported == self.state["steps"],
        }

    def save(self):
        kept = dict(
            state=self.state,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            average=self.average,
            random=torch.get_rng_state(),
        )
        torch.save(kept, f"{self.state_file}.writing")
        os.replace(f"{self.state_file}.writing", self.state_file)
        self.saved_at = self.state["elapsedMs"]

    def restore(self):
        kept = torch.load(self.state_file)
        self.state = kept["state"]
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.average = kept["average"]
        torch.set_rng_state(kept["random"])

    def export(self):
        """The models to use: their averages, where there are any."""
        tokenizer = AutoTokenizer.from_pretrained(self.plan["start"]["generator"])
        with self.averages():
            for name in ("generator", "discriminator"):
                folder = os.path.join(arguments.run, name)
                getattr(self.model, name).save_pretrained(folder)
                tokenizer.save_pretrained(folder)
        with open(os.path.join(arguments.run, "models.json"), "w") as file:
            json.dump(self.state["steps"], file)

    @contextlib.contextmanager
    def averages(self):
        weights = [p.detach().clone() for p in self.parameters] if self.average else []
        with torch.no_grad():
            for p, average in zip(self.parameters, self.average or []):
                p.copy_(average)
            yield
            for p, weight in zip(self.parameters, weights):
                p.copy_(weight)


def main():
    torch.set_num_threads(arguments.threads)
    with open(arguments.plan) as file:
        plan = json.load(file)
    os.makedirs(arguments.run, exist_ok=True)
    run = Run(plan)

    def stop(*_):
        run.interrupted = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    print("ready", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        if name == "quit":
            return
        print(json.dumps(run.train(float(words[0])) if name == "train" else run.answer()), flush=True)


if __name__ == "__main__":
    main()
