"""Writes the SpanBERT golden files beside this script: a tiny random model, one batch, four variants of one step.

    python test/golden/make_spanbert_golden.py

The encoder, the masked-LM head and the next-sentence head are transformers' BertForPreTraining. The span boundary objective
(SpanBERT, arXiv 1907.10529, section 3.2) exists in no library: it is written out here from the paper's equations, span by
span and token by token, in loops that look nothing like the graph they are compared with. Weights and inputs are drawn as
float32; everything is computed from them in float64, then stored as float32 (losses: full precision, in the JSON).
Shapes in comments: B rows, S positions, M masked slots of the whole batch, N span targets, V vocabulary, H hidden size.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining

PAD, CLS, SEP, MASK = 0, 2, 3, 4
FIRST_WORD = 5  # ids 0..4 are [PAD] [UNK] [CLS] [SEP] [MASK]
SEED = 19071052
LENGTH = 22
POSITION_SIZE = 7
MAX_FILE_BYTES = 300_000

CONFIG = dict(
    vocab_size=53, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
    max_position_embeddings=26, type_vocab_size=2, hidden_act="gelu", hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12, pad_token_id=PAD,
)

# Rows: text tokens of each segment, and the masked spans as positions in the row, first and last inclusive. In the single
# rows one span touches [CLS], one touches [SEP], one has six tokens, more than the position table of five rows.
SINGLE_ROWS = [((20,), [(1, 2), (6, 6), (9, 14), (20, 20)]), ((15,), [(3, 4), (6, 6)]), ((4,), [(2, 3)])]
# [CLS] A [SEP] B [SEP]: spans beside the middle [SEP] on both sides; row 2 has no second segment.
PAIR_ROWS = [((9, 8), [(3, 5), (9, 9), (11, 12), (15, 16)]), ((6, 7), [(1, 1), (4, 4), (10, 11)]), ((6,), [(2, 3)])]
PAIR_LABELS = [0, 1, 0]  # 1: the second segment is from elsewhere
PAIR_WEIGHTS = [1.0, 1.0, 0.0]
KEPT_SLOTS = {2, 7}  # masked slots that show their own token
RANDOM_SLOTS = {4, 8}  # masked slots that show another


@dataclass
class Variant:
    name: str
    rows: str  # "single" or "pair"
    endpoints: str
    edge_spans: str
    sbo_weight: float
    description: str


MAX_SPAN_TARGETS = 5
VARIANTS = [
    Variant("reference", "single", "external", "drop", 1.0, "one sequence, external end points, edge spans dropped"),
    Variant("edges", "single", "external", "special", 1.0, "edge spans have [CLS] and [SEP] as boundaries"),
    Variant("internal", "single", "internal", "drop", 0.7, "the span's own ends are its boundaries; SBO weighs 0.7"),
    Variant("nextSentence", "pair", "external", "drop", 1.0, "two segments with next-sentence prediction"),
]


class SpanBoundaryHead(torch.nn.Module):
    """h0 = [x_(s-1); x_(e+1); p_(i-s+1)], h1 = LN(GELU(W1 h0)), y = LN(GELU(W2 h1)), logits = E y + b (section 3.2)."""

    def __init__(self, hidden_size, vocab_size):
        super().__init__()
        layer = lambda size: torch.nn.ModuleDict(
            dict(
                dense=torch.nn.Linear(size, hidden_size),
                LayerNorm=torch.nn.LayerNorm(hidden_size, eps=CONFIG["layer_norm_eps"]),
            )
        )
        self.position_embeddings = torch.nn.Embedding(MAX_SPAN_TARGETS, POSITION_SIZE)
        self.layer_0 = layer(2 * hidden_size + POSITION_SIZE)
        self.layer_1 = layer(hidden_size)
        self.bias = torch.nn.Parameter(torch.zeros(vocab_size))

    def forward(self, left, right, place, word_table):
        """One token: left, right [H], place from 1 as in the paper. Returns logits [V]."""
        position = self.position_embeddings.weight[place - 1]
        x = torch.cat([left, right, position])
        for layer in (self.layer_0, self.layer_1):
            x = layer["LayerNorm"](F.gelu(layer["dense"](x)))
        return word_table @ x + self.bias


def main():
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    model = BertForPreTraining(BertConfig(**CONFIG, attn_implementation="eager")).double().eval()
    head = SpanBoundaryHead(CONFIG["hidden_size"], CONFIG["vocab_size"]).double()
    parameters = named_parameters(model, head)
    draw_weights(parameters, rng)
    batches = {"single": draw_batch(SINGLE_ROWS, rng), "pair": draw_batch(PAIR_ROWS, rng)}

    tensors = dict(parameters)
    report = {
        "name": "spanbert",
        "madeBy": "test/golden/make_spanbert_golden.py",
        "seed": SEED,
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "precision": "computed in float64 from weights and inputs that are exact in float32; tensors stored as F32, integers as I32",
        "config": {"model_type": "bert", **CONFIG},
        "specialIds": {"pad": PAD, "cls": CLS, "sep": SEP, "mask": MASK},
        "batch": 3,
        "length": LENGTH,
        "maxSpanTargets": MAX_SPAN_TARGETS,
        "positionSize": POSITION_SIZE,
        "variants": {},
    }
    for name, batch in batches.items():
        tensors |= {f"{name}.{key}": value for key, value in batch.items() if isinstance(value, torch.Tensor)}
    for variant in VARIANTS:
        results, losses = run(variant, batches[variant.rows], model, head, parameters)
        tensors |= {f"{variant.name}.{key}": value for key, value in results.items()}
        report["variants"][variant.name] = {
            "description": variant.description,
            "rows": variant.rows,
            "endpoints": variant.endpoints,
            "edgeSpans": variant.edge_spans,
            "sboWeight": variant.sbo_weight,
            "losses": losses,
        }
    folder = Path(__file__).resolve().parent
    path = folder / "spanbert.safetensors"
    save_file({name: stored(tensor) for name, tensor in tensors.items()}, path, metadata={"format": "pt"})
    assert path.stat().st_size < MAX_FILE_BYTES, path.stat().st_size
    (folder / "spanbert.json").write_text(json.dumps(report, indent=2) + "\n")
    print(path.name, path.stat().st_size, "bytes")
    for name, variant in report["variants"].items():
        print(name, json.dumps(variant["losses"]))


def run(variant, batch, model, head, parameters):
    """One step of a variant: logits, losses, gradients of the total."""
    inputs = dict(attention_mask=batch["attention_mask"], token_type_ids=batch["token_type_ids"])
    outputs = model(batch["masked_input_ids"], output_hidden_states=True, **inputs)
    hidden = outputs.hidden_states[-1]  # [B, S, H]
    slots = batch["masked_positions"]
    mlm_logits = outputs.prediction_logits.flatten(0, 1)[slots]  # [M, V]
    mlm_loss = F.cross_entropy(mlm_logits, batch["masked_ids"])

    table = model.bert.embeddings.word_embeddings.weight
    targets = span_targets(variant, batch)
    sbo_logits = torch.stack([head(hidden[t["row"], t["left"]], hidden[t["row"], t["right"]], t["place"], table) for t in targets])
    labels = torch.tensor([t["id"] for t in targets])
    sbo_loss = F.cross_entropy(sbo_logits, labels)

    losses = {"mlm": mlm_loss, "sbo": sbo_loss}
    total = mlm_loss + variant.sbo_weight * sbo_loss
    results = {
        "mlm_logits": mlm_logits,
        "sbo_logits": sbo_logits,
        "left": torch.tensor([t["row"] * LENGTH + t["left"] for t in targets]),
        "right": torch.tensor([t["row"] * LENGTH + t["right"] for t in targets]),
        "offsets": torch.tensor([t["place"] - 1 for t in targets]),
        "ids": labels,
    }
    if variant.rows == "pair":
        weights = torch.tensor(PAIR_WEIGHTS).double()
        each = F.cross_entropy(outputs.seq_relationship_logits, torch.tensor(PAIR_LABELS), reduction="none")
        losses["nsp"] = (each * weights).sum() / weights.sum()
        total = total + losses["nsp"]
        results["nsp_logits"] = outputs.seq_relationship_logits
    check_losses(model, batch, losses, variant)
    losses["total"] = total
    used = [name for name in parameters if variant.rows == "pair" or not is_of_pairs(name)]
    values = torch.autograd.grad(total, [parameters[name] for name in used])
    results |= {f"gradient.{name}": value for name, value in zip(used, values)}
    return results, {name: value.item() for name, value in losses.items()}


def span_targets(variant, batch):
    """Every token that has boundaries, row by row and span by span (section 3.2; edges and the cut as in the released code)."""
    targets = []
    for row, spans in enumerate(batch["spans"]):
        ids = batch["input_ids"][row].tolist()
        for start, end in spans:
            left, right = (start - 1, end + 1) if variant.endpoints == "external" else (start, end)
            beside_special = ids[start - 1] in (CLS, SEP) or ids[end + 1] in (CLS, SEP)
            if variant.endpoints == "external" and variant.edge_spans == "drop" and beside_special:
                continue
            for i in range(start, end + 1):
                place = i - start + 1  # the paper's i - s + 1
                if place <= MAX_SPAN_TARGETS:
                    targets.append(dict(row=row, left=left, right=right, place=place, id=ids[i]))
    return targets


def is_of_pairs(name):
    return name.startswith(("bert.pooler", "cls.seq_relationship"))


def check_losses(model, batch, losses, variant):
    """transformers sums masked-LM and next-sentence loss itself: where every row has a label, they must be ours."""
    labels = torch.full_like(batch["input_ids"], -100).flatten()
    labels[batch["masked_positions"]] = batch["masked_ids"]
    sentences = torch.tensor(PAIR_LABELS if variant.rows == "pair" else [0, 0, 0])
    if variant.rows == "pair":
        sentences = torch.where(torch.tensor(PAIR_WEIGHTS) > 0, sentences, -100)
    theirs = model(
        batch["masked_input_ids"],
        attention_mask=batch["attention_mask"],
        token_type_ids=batch["token_type_ids"],
        labels=labels.view_as(batch["input_ids"]),
        next_sentence_label=sentences,
    )
    nsp = losses.get("nsp")
    if nsp is None:
        nsp = F.cross_entropy(theirs.seq_relationship_logits, sentences)
    torch.testing.assert_close(theirs.loss, losses["mlm"] + nsp, rtol=1e-12, atol=0)


def named_parameters(model, head):
    """Every parameter once: the decoder is tied to the word table, its bias to cls.predictions.bias."""
    decoder = model.cls.predictions.decoder
    assert decoder.weight is model.bert.embeddings.word_embeddings.weight and decoder.bias is model.cls.predictions.bias
    named = dict(model.named_parameters()) | {f"sbo.{name}": p for name, p in head.named_parameters()}
    return {name: named[name] for name in sorted(named) if "decoder" not in name}


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


def draw_batch(rows, rng):
    input_ids = np.full((len(rows), LENGTH), PAD)
    attention_mask = np.zeros((len(rows), LENGTH), dtype=int)
    token_type_ids = np.zeros((len(rows), LENGTH), dtype=int)
    positions = []
    for row, (segments, spans) in enumerate(rows):
        ids = [CLS]
        for number, tokens in enumerate(segments):
            token_type_ids[row, len(ids) : len(ids) + tokens + 1] = number
            ids += [*rng.integers(FIRST_WORD, CONFIG["vocab_size"], tokens).tolist(), SEP]
        input_ids[row, : len(ids)] = ids
        attention_mask[row, : len(ids)] = 1
        positions += [row * LENGTH + i for start, end in spans for i in range(start, end + 1)]
    masked = input_ids.flatten()
    masked_ids = masked[positions]
    for slot, position in enumerate(positions):
        if slot in RANDOM_SLOTS:
            masked[position] = rng.integers(FIRST_WORD, CONFIG["vocab_size"])
        elif slot not in KEPT_SLOTS:
            masked[position] = MASK
    arrays = dict(
        input_ids=input_ids,
        attention_mask=attention_mask,
        token_type_ids=token_type_ids,
        masked_input_ids=masked.reshape(len(rows), LENGTH),
        masked_positions=np.array(positions),
        masked_ids=masked_ids,
    )
    tensors = {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}
    if len(rows[0][0]) == 2:
        tensors["next_sentence_labels"] = torch.tensor(PAIR_LABELS)
        tensors["next_sentence_weights"] = torch.tensor(PAIR_WEIGHTS)
    return {**tensors, "spans": [spans for _, spans in rows]}


def stored(tensor):
    return tensor.detach().to(torch.float32 if tensor.is_floating_point() else torch.int32).contiguous().clone()


if __name__ == "__main__":
    main()
