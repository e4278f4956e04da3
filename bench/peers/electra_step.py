"""One ELECTRA pre-training step in PyTorch + Hugging Face transformers: the opponent of `npm run bench -- pretrain`.

    python bench/peers/electra_step.py --size small --batch 8 --length 128 --threads 2 [--compile] [--precision bf16]

The same work as Pleiad's step, written as a careful PyTorch user would: dynamic masking, generator logits at the masked
positions only, proposals by Gumbel-max, one shared embeddings module and tied vocabulary table, both losses, backward,
global-norm clipping, fused AdamW. Attention is scaled_dot_product_attention. Rows are full and no attention mask is
given, which is the fastest case for this side. Token ids are random: they do not change the time.

With --serve the caller alternates it with something else: after the warm-up it prints `ready`; each line `run N` on
standard input runs N steps and prints {"ms": [...]} with one duration a step; `quit` or end of input ends it.
"""

import argparse
import json
import math
import os
import resource
import sys
import time

SIZES = {
    # layers; hidden, intermediate, heads of the discriminator; the same three of the generator; embedding
    "tiny": dict(layers=4, discriminator=(128, 512, 2), generator=(64, 256, 1), embedding=128),
    "mini": dict(layers=6, discriminator=(256, 1024, 4), generator=(64, 256, 1), embedding=128),
    "small": dict(layers=12, discriminator=(256, 1024, 4), generator=(64, 256, 1), embedding=128),
    "base": dict(layers=12, discriminator=(768, 3072, 12), generator=(256, 1024, 4), embedding=768),
}
VOCAB_SIZE, MAX_POSITIONS = 30522, 512
CLS, SEP, MASK, FIRST_WORD = 101, 102, 103, 1000
MASK_PROB, MASK_ACTION_PROB = 0.15, 0.85
DISC_WEIGHT = 50.0
LEARNING_RATE, WARMUP_STEPS, WEIGHT_DECAY, BETAS, EPSILON, MAX_NORM = 5e-4, 10_000, 0.01, (0.9, 0.999), 1e-6, 1.0
NUM_BATCHES = 8  # distinct batches that the steps go round


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--batch", type=int, default=8, help="rows a step")
    parser.add_argument("--length", type=int, default=128, help="tokens a row, at most 512")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="bf16 is autocast, weights stay fp32")
    parser.add_argument("--compile", action="store_true", help="torch.compile of the forward and backward pass")
    parser.add_argument("--steps", type=int, default=10, help="timed steps (without --serve)")
    parser.add_argument("--warmup", type=int, default=3, help="steps before the clock starts")
    parser.add_argument("--dropout", type=float, default=0.0, help="hidden and attention dropout, 0 to 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line of standard output")
    parser.add_argument("--serve", action="store_true", help="line protocol, see above")
    arguments = parser.parse_args()
    if not 8 <= arguments.length <= MAX_POSITIONS:
        parser.error(f"--length is {arguments.length}, expected 8 to {MAX_POSITIONS}")
    return arguments


arguments = parse_arguments()
# Before torch is loaded: its OpenMP reads this once.
os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining  # noqa: E402


class JointElectra(torch.nn.Module):
    """Generator and discriminator over one embeddings module; forward returns the two losses (arXiv 2003.10555, eq. 1-3)."""

    def __init__(self, size, dropout):
        super().__init__()
        self.discriminator = ElectraForPreTraining._from_config(config(size, "discriminator", dropout))
        self.generator = ElectraForMaskedLM._from_config(config(size, "generator", dropout))
        self.generator.electra.embeddings = self.discriminator.electra.embeddings
        self.generator.generator_lm_head.weight = self.discriminator.electra.embeddings.word_embeddings.weight

    def forward(self, input_ids, token_type_ids, masked_input_ids, slots):
        """Ids and types int64 [B, S]; slots int64 [B, N], distinct positions of each row."""
        generator = self.generator
        hidden = generator.electra(masked_input_ids, token_type_ids=token_type_ids).last_hidden_state
        hidden = hidden.gather(1, slots[..., None].expand(-1, -1, hidden.shape[-1]))  # [B, N, Hg]
        logits = generator.generator_lm_head(generator.generator_predictions(hidden)).float()  # [B, N, V]
        mlm_loss = F.cross_entropy(logits.flatten(0, 1), input_ids.gather(1, slots).flatten())

        with torch.no_grad():  # Gumbel-max: argmax(logits - log(e)), e ~ Exp(1), is a draw from softmax(logits)
            proposals = (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1)  # [B, N]
            corrupted = input_ids.scatter(1, slots, proposals)
            is_replaced = (corrupted != input_ids).float()

        disc_logits = self.discriminator(corrupted, token_type_ids=token_type_ids).logits.float()  # [B, S]
        return mlm_loss, F.binary_cross_entropy_with_logits(disc_logits, is_replaced)


def config(size, part, dropout):
    hidden, intermediate, heads = SIZES[size][part]
    return ElectraConfig(
        vocab_size=VOCAB_SIZE,
        max_position_embeddings=MAX_POSITIONS,
        embedding_size=SIZES[size]["embedding"],
        hidden_size=hidden,
        intermediate_size=intermediate,
        num_attention_heads=heads,
        num_hidden_layers=SIZES[size]["layers"],
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )


class Trainer:
    def __init__(self, arguments):
        self.model = JointElectra(arguments.size, arguments.dropout).train()
        self.loss = torch.compile(self.model) if arguments.compile else self.model
        self.autocast = arguments.precision == "bf16"
        self.optimizer = make_optimizer(self.model)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: min(1.0, (step + 1) / WARMUP_STEPS))
        self.num_slots = slots_per_row(arguments.length)
        self.batches = [make_batch(arguments.batch, arguments.length) for _ in range(NUM_BATCHES)]
        self.num_steps = 0

    def step(self):
        input_ids, token_type_ids = self.batches[self.num_steps % NUM_BATCHES]
        slots, masked_input_ids = mask(input_ids, self.num_slots)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.autocast):
            mlm_loss, disc_loss = self.loss(input_ids, token_type_ids, masked_input_ids, slots)
        loss = mlm_loss + DISC_WEIGHT * disc_loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_NORM)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.num_steps += 1
        return mlm_loss.item(), disc_loss.item()

    def timed_steps(self, count):
        """Duration of each step in milliseconds, and the last two losses."""
        durations = []
        for _ in range(count):
            started_at = time.perf_counter()
            losses = self.step()
            durations.append((time.perf_counter() - started_at) * 1000)
        if count > 0 and not all(map(math.isfinite, losses)):
            sys.exit(f"step {self.num_steps}: losses are {losses}, expected finite numbers")
        return durations, losses if count > 0 else None


def make_optimizer(model):
    decayed = [p for name, p in model.named_parameters() if not is_exempt(name)]
    exempt = [p for name, p in model.named_parameters() if is_exempt(name)]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": exempt, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, fused=True)


def is_exempt(name):
    return "LayerNorm" in name or name.endswith("bias")


def slots_per_row(length):
    return int((MASK_PROB + 0.005) * length)


def make_batch(rows, length):
    """Two random texts a row: [CLS] A [SEP] B [SEP], no padding."""
    input_ids = torch.randint(FIRST_WORD, VOCAB_SIZE, (rows, length))
    middle = length // 2
    input_ids[:, 0], input_ids[:, middle], input_ids[:, -1] = CLS, SEP, SEP
    token_type_ids = (torch.arange(length) > middle).long().expand(rows, -1).contiguous()
    return input_ids, token_type_ids


def mask(input_ids, num_slots):
    """Draws distinct slots among the words of each row, [B, N], and writes [MASK] into 85 % of them."""
    keys = torch.rand(input_ids.shape).masked_fill_(input_ids < FIRST_WORD, -1.0)
    slots = keys.topk(num_slots, dim=1).indices
    written = torch.where(torch.rand(slots.shape) < MASK_ACTION_PROB, MASK, input_ids.gather(1, slots))
    return slots, input_ids.scatter(1, slots, written)


def report(trainer, arguments):
    durations, losses = trainer.timed_steps(arguments.steps)
    median = sorted(durations)[len(durations) // 2]
    tokens_per_second = arguments.batch * arguments.length / median * 1000
    result = {
        "name": "torch-electra-step",
        "torch": torch.__version__.split("+")[0],
        "size": arguments.size,
        "batch": arguments.batch,
        "length": arguments.length,
        "threads": arguments.threads,
        "precision": arguments.precision,
        "compile": arguments.compile,
        "dropout": arguments.dropout,
        "slotsPerRow": trainer.num_slots,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "ms": durations,
        "medianMs": median,
        "tokensPerSecond": tokens_per_second,
        "mlmLoss": losses[0],
        "discLoss": losses[1],
        "peakMemoryMiB": peak_memory_mib(),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        mode = "compiled" if arguments.compile else "eager"
        print(f"{arguments.size} {arguments.batch}x{arguments.length} {arguments.precision} {mode}, {arguments.threads} threads:")
        print(f"{median:.1f} ms a step (median of {len(durations)}), {tokens_per_second:.0f} tokens/s, {result['peakMemoryMiB']:.0f} MiB")


def serve(trainer):
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if len(words) == 2 and words[0] == "run" and words[1].isdigit():
            durations, _ = trainer.timed_steps(int(words[1]))
            answer = {"ms": durations, "peakMemoryMiB": peak_memory_mib()}
        else:
            answer = {"error": f"got {line.strip()!r}, expected 'run N' or 'quit'"}
        print(json.dumps(answer), flush=True)


def peak_memory_mib():
    """Largest resident size of this process. Linux's own count: ru_maxrss would include the parent's from before exec."""
    try:
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        unit = 1024 * 1024 if sys.platform == "darwin" else 1024  # macOS counts bytes, others KiB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main():
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    trainer = Trainer(arguments)
    trainer.timed_steps(arguments.warmup)
    if arguments.serve:
        serve(trainer)
    elif arguments.steps > 0:
        report(trainer, arguments)


if __name__ == "__main__":
    main()
