"""Writes the ELECTRA golden files beside this script: tiny random models, one batch, losses and gradients.

    python test/golden/make_electra_golden.py

The networks are the classes of Hugging Face transformers; the objectives (ELECTRA, arXiv 2003.10555, sections 2 and 3.4)
are written out here and, where transformers computes the same loss itself, held against it. Weights and inputs are drawn
as float32; everything is computed from them in float64, then stored as float32 (losses: full precision, in the JSON).
Shapes in comments: B rows, S positions, M masked slots of the whole batch, V vocabulary, H hidden size.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

PAD, CLS, SEP, MASK = 0, 2, 3, 4
FIRST_WORD = 5  # ids 0..4 are [PAD] [UNK] [CLS] [SEP] [MASK]
LENGTH = 24
SEGMENT_LENGTHS = [(12, 9), (8, 7), (6, 5)]  # tokens of the two texts of each row; [CLS] and two [SEP] come on top
SLOTS_PER_ROW = [5, 3, 2]
KEPT_SLOTS = {1, 7}  # slots that are predicted although their token was left in place (the "15%" of the mask actions)
LUCKY_SLOTS = {0, 4}  # slots whose uniform is chosen so that the proposal is the original token
MLM_WEIGHT, DISC_WEIGHT = 1.0, 50.0
BOUNDARY_MARGIN = 1e-4  # least distance of a uniform from a step of the cumulative sum: float32 proposes the same ids
MAX_FILE_BYTES = 400_000

COMMON = dict(
    max_position_embeddings=40,
    type_vocab_size=2,
    hidden_act="gelu",
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    layer_norm_eps=1e-12,
    pad_token_id=PAD,
)


@dataclass
class Case:
    name: str
    description: str
    seed: int
    discriminator: dict
    generator: dict


CASES = [
    Case(
        name="electra-projected",
        description="embeddings_project in the generator and in the discriminator",
        seed=20200323,
        discriminator=dict(
            vocab_size=97, embedding_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=64, **COMMON,
        ),
        generator=dict(
            vocab_size=97, embedding_size=16, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=32, **COMMON,
        ),
    ),
    Case(
        name="electra-plain",
        description="embedding size = hidden size in the discriminator (no projection there), narrower generator",
        seed=31415926,
        discriminator=dict(
            vocab_size=89, embedding_size=24, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
            intermediate_size=96, **COMMON,
        ),
        generator=dict(
            vocab_size=89, embedding_size=24, hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
            intermediate_size=32, **COMMON,
        ),
    ),
]


def main():
    torch.set_num_threads(1)
    for case in CASES:
        write_case(case, Path(__file__).resolve().parent)


def write_case(case, folder):
    rng = np.random.default_rng(case.seed)
    models = Models(case)
    parameters = models.parameters()
    draw_weights(parameters, rng)
    batch = draw_batch(case.discriminator["vocab_size"], rng)

    generator_hidden, mlm_logits = models.generate(batch)
    batch["uniforms"] = draw_uniforms(mlm_logits, batch["masked_ids"], rng)
    proposals = propose(mlm_logits, batch["uniforms"])
    corrupted = batch["input_ids"].flatten().index_copy(0, batch["masked_positions"], proposals).view_as(batch["input_ids"])
    is_replaced = (corrupted != batch["input_ids"]).long()
    check_proposals(models, batch, proposals)

    hidden = models.encode(corrupted, batch)
    disc_logits = models.discriminator.discriminator_predictions(hidden)
    replace_logits = models.language_logits(hidden.flatten(0, 1)[batch["masked_positions"]])
    copy_gate = torch.sigmoid(models.copy_gate(hidden)).squeeze(-1)

    mlm_loss = F.cross_entropy(mlm_logits, batch["masked_ids"])
    bce = F.binary_cross_entropy_with_logits(disc_logits, is_replaced.double(), reduction="none")
    real = batch["attention_mask"] == 1
    disc_loss = bce[real].mean()
    disc_loss_15 = bce.flatten()[batch["masked_positions"]].mean()
    replace_loss = F.cross_entropy(replace_logits, batch["masked_ids"])
    all_tokens_loss = copy_mlm_loss(models.language_logits(hidden), copy_gate, corrupted, batch["input_ids"])[real].mean()
    total = MLM_WEIGHT * mlm_loss + DISC_WEIGHT * disc_loss
    check_losses(models, batch, corrupted, is_replaced, mlm_loss, disc_loss)

    some = {name: p for name, p in parameters.items() if in_selection(name)}
    joint = {name: p for name, p in parameters.items() if not is_ablation_head(name)}
    tensors = {
        **parameters,
        **batch,
        "generator_hidden": generator_hidden,
        "mlm_logits": mlm_logits,
        "proposals": proposals,
        "corrupted": corrupted,
        "is_replaced": is_replaced,
        "discriminator_hidden": hidden,
        "disc_logits": disc_logits,
        "replace_mlm_logits": replace_logits,
        "copy_gate": copy_gate,
        **gradients("gradient.", total, joint, complete=True),
        **gradients("gradientMlm.", mlm_loss, joint),
        **gradients("gradientElectra15.", disc_loss_15, some),
        **gradients("gradientReplaceMlm.", replace_loss, some),
        **gradients("gradientAllTokensMlm.", all_tokens_loss, some),
    }
    path = folder / f"{case.name}.safetensors"
    save_file({name: stored(tensor) for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    assert path.stat().st_size < MAX_FILE_BYTES, path.stat().st_size

    report = {
        "name": case.name,
        "description": case.description,
        "madeBy": "test/golden/make_electra_golden.py",
        "seed": case.seed,
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "precision": "computed in float64 from weights and inputs that are exact in float32; tensors stored as F32, integers as I32",
        "shared": {
            "generator.electra.embeddings.*": "discriminator.electra.embeddings.*",
            "generator.generator_lm_head.weight": "discriminator.electra.embeddings.word_embeddings.weight",
            "discriminator.generator_lm_head.weight": "discriminator.electra.embeddings.word_embeddings.weight",
        },
        "discriminatorConfig": {"model_type": "electra", **case.discriminator},
        "generatorConfig": {"model_type": "electra", **case.generator},
        "specialIds": {"pad": PAD, "cls": CLS, "sep": SEP, "mask": MASK},
        "batch": len(SLOTS_PER_ROW),
        "length": LENGTH,
        "slotsPerRow": SLOTS_PER_ROW,
        "mlmWeight": MLM_WEIGHT,
        "discWeight": DISC_WEIGHT,
        "losses": {
            "electra": {"mlmLoss": mlm_loss.item(), "discLoss": disc_loss.item(), "total": total.item()},
            "mlm": {"mlmLoss": mlm_loss.item(), "total": mlm_loss.item()},
            "electra-15": {
                "mlmLoss": mlm_loss.item(),
                "discLoss": disc_loss_15.item(),
                "total": (MLM_WEIGHT * mlm_loss + DISC_WEIGHT * disc_loss_15).item(),
            },
            "replace-mlm": {"mlmLoss": mlm_loss.item(), "replaceMlmLoss": replace_loss.item()},
            "all-tokens-mlm": {"mlmLoss": mlm_loss.item(), "allTokensMlmLoss": all_tokens_loss.item()},
        },
        "gradients": {
            "gradient.": "losses.electra.total, every parameter of the joint step",
            "gradientMlm.": "losses.mlm.total, every parameter it reaches",
            "gradientElectra15.": "losses.electra-15.discLoss alone, unweighted, selected parameters",
            "gradientReplaceMlm.": "losses.replace-mlm.replaceMlmLoss alone, unweighted, selected parameters",
            "gradientAllTokensMlm.": "losses.all-tokens-mlm.allTokensMlmLoss alone, unweighted, selected parameters",
        },
    }
    (folder / f"{case.name}.json").write_text(json.dumps(report, indent=2) + "\n")
    print(path.name, path.stat().st_size, "bytes", json.dumps(report["losses"]))


class Models:
    """Generator, discriminator, and the discriminator's encoder with the heads of the paper's comparisons (section 3.4)."""

    def __init__(self, case):
        self.discriminator = build(ElectraForPreTraining, case.discriminator)
        self.generator = build(ElectraForMaskedLM, case.generator)
        self.language_model = build(ElectraForMaskedLM, case.discriminator)
        self.copy_gate = torch.nn.Linear(case.discriminator["hidden_size"], 1).double()
        # One embeddings module and one vocabulary table for everything.
        self.generator.electra.embeddings = self.discriminator.electra.embeddings
        self.language_model.electra = self.discriminator.electra
        table = self.discriminator.electra.embeddings.word_embeddings.weight
        self.generator.generator_lm_head.weight = table
        self.language_model.generator_lm_head.weight = table

    def parameters(self):
        """Every parameter once, under its name in the golden file."""
        named = {f"discriminator.{name}": p for name, p in self.discriminator.named_parameters()}
        named |= {f"discriminator.{name}": p for name, p in self.language_model.named_parameters()}
        named |= {f"discriminator.copy_gate.{name}": p for name, p in self.copy_gate.named_parameters()}
        named |= {f"generator.{name}": p for name, p in self.generator.named_parameters()}
        once = {}
        for name in sorted(named):  # "discriminator." sorts first, so shared tensors keep that prefix
            tied = name.endswith("generator_lm_head.weight")
            if not tied and not any(named[name] is p for p in once.values()):
                once[name] = named[name]
        return once

    def generate(self, batch):
        """Generator hidden states [B, S, Hg] and vocabulary logits at the masked slots [M, V]."""
        generator = self.generator
        hidden = generator.electra(batch["masked_input_ids"], batch["attention_mask"], batch["token_type_ids"])[0]
        slots = hidden.flatten(0, 1)[batch["masked_positions"]]  # [M, Hg]
        return hidden, generator.generator_lm_head(generator.generator_predictions(slots))

    def encode(self, ids, batch):
        return self.discriminator.electra(ids, batch["attention_mask"], batch["token_type_ids"])[0]  # [B, S, H]

    def language_logits(self, hidden):
        return self.language_model.generator_lm_head(self.language_model.generator_predictions(hidden))  # [..., V]


def build(model_class, fields):
    return model_class._from_config(ElectraConfig(**fields), attn_implementation="eager").double().eval()


def draw_weights(parameters, rng):
    """Larger than at the start of a training, so that attention, softmax and every gradient are far from trivial."""
    with torch.no_grad():
        for name, parameter in parameters.items():
            values = rng.standard_normal(parameter.shape)
            if name.endswith("LayerNorm.weight"):
                values = 1 + 0.1 * values
            elif name.endswith("bias"):
                values = 0.1 * values
            elif "_embeddings." in name:
                values = 0.3 * values
            else:
                values = values / np.sqrt(parameter.shape[1])
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))


def draw_batch(vocab_size, rng):
    rows = len(SEGMENT_LENGTHS)
    input_ids = np.full((rows, LENGTH), PAD)
    attention_mask = np.zeros((rows, LENGTH), dtype=int)
    token_type_ids = np.zeros((rows, LENGTH), dtype=int)
    positions = []
    for row, (first, second) in enumerate(SEGMENT_LENGTHS):
        words = rng.integers(FIRST_WORD, vocab_size, first + second).tolist()
        ids = [CLS, *words[:first], SEP, *words[first:], SEP]
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
        token_type_ids[row, first + 2 : len(ids)] = 1
        candidates = [i for i, token in enumerate(ids) if token >= FIRST_WORD]
        chosen = sorted(rng.choice(candidates, SLOTS_PER_ROW[row], replace=False).tolist())
        positions += [row * LENGTH + position for position in chosen]
    masked_input_ids = input_ids.flatten()
    masked_ids = masked_input_ids[positions]
    masked_input_ids[[position for slot, position in enumerate(positions) if slot not in KEPT_SLOTS]] = MASK
    arrays = dict(
        input_ids=input_ids,
        attention_mask=attention_mask,
        token_type_ids=token_type_ids,
        masked_input_ids=masked_input_ids.reshape(rows, LENGTH),
        masked_positions=np.array(positions),
        masked_ids=masked_ids,
    )
    return {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}


def draw_uniforms(logits, originals, rng):
    """One uniform a slot, exact in float32, clear of every step of the cumulative sum, never proposing [PAD].

    [PAD] is kept out because torch gives its row no gradient from lookups (padding_idx) while other systems do.
    """
    cumulative = torch.softmax(logits, -1).cumsum(-1).detach().numpy()  # [M, V]
    uniforms = []
    for slot, steps in enumerate(cumulative):
        original = originals[slot].item()
        while True:
            low, high = (steps[original - 1], steps[original]) if slot in LUCKY_SLOTS else (steps[PAD], 1)
            uniform = np.float32(rng.uniform(low, high))
            proposal = np.sum(steps < uniform * steps[-1])
            clear = np.abs(steps - uniform * steps[-1]).min() > BOUNDARY_MARGIN
            if clear and (proposal == original) == (slot in LUCKY_SLOTS) and proposal != PAD:
                break
        uniforms.append(uniform)
    return torch.from_numpy(np.array(uniforms))


def propose(logits, uniforms):
    """Inverse CDF: the number of steps of the cumulative sum below u. Integers, so no gradient passes."""
    cumulative = torch.softmax(logits, -1).cumsum(-1)
    return (cumulative < uniforms.to(cumulative.dtype)[:, None] * cumulative[:, -1:]).sum(-1)  # [M]


def copy_mlm_loss(logits, copy_gate, corrupted, original):
    """All-Tokens MLM: -log(c 1[x = corrupted] + (1 - c) softmax(logits)_x) at every position, [B, S]."""
    predicted = torch.softmax(logits, -1).gather(-1, original[..., None]).squeeze(-1)
    return -torch.log(copy_gate * (corrupted == original).double() + (1 - copy_gate) * predicted)


def check_proposals(models, batch, proposals):
    lucky = proposals == batch["masked_ids"]
    assert lucky.any() and not lucky.all()
    assert (proposals != PAD).all()
    single = copy.copy(models)
    single.generator = copy.deepcopy(models.generator).float()
    assert torch.equal(propose(single.generate(batch)[1], batch["uniforms"]), proposals), "float32 proposes other ids"


def check_losses(models, batch, corrupted, is_replaced, mlm_loss, disc_loss):
    """transformers computes these two losses itself; they must be ours."""
    inputs = dict(attention_mask=batch["attention_mask"], token_type_ids=batch["token_type_ids"])
    labels = torch.full_like(batch["input_ids"], -100).flatten()
    labels[batch["masked_positions"]] = batch["masked_ids"]
    theirs = models.generator(batch["masked_input_ids"], labels=labels.view_as(batch["input_ids"]), **inputs).loss
    torch.testing.assert_close(theirs, mlm_loss, rtol=1e-12, atol=0)
    theirs = models.discriminator(corrupted, labels=is_replaced, **inputs).loss
    # Its labels are float32, and with them the mean.
    torch.testing.assert_close(theirs.double(), disc_loss, rtol=1e-6, atol=0)


def is_ablation_head(name):
    return name.startswith(("discriminator.generator_", "discriminator.copy_gate."))


def in_selection(name):
    """The parameters whose gradients are kept for the paper's comparisons: enough to see each path, few bytes."""
    return is_ablation_head(name) or any(
        part in name
        for part in (
            "discriminator.electra.embeddings",
            "discriminator.electra.encoder.layer.0.attention.self.query",
            "discriminator.electra.encoder.layer.1.output.dense.weight",
            "discriminator.electra.encoder.layer.1.output.LayerNorm",
            "discriminator.discriminator_predictions",
        )
    )


def gradients(prefix, loss, parameters, complete=False):
    values = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
    found = {prefix + name: value for name, value in zip(parameters, values) if value is not None}
    assert not complete or len(found) == len(parameters)
    return found


def stored(tensor):
    return tensor.detach().to(torch.float32 if tensor.is_floating_point() else torch.int32).contiguous().clone()


if __name__ == "__main__":
    main()
