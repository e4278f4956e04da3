"""Writes heads-*.safetensors and heads.json beside this script: every head of ELECTRA and BERT on tiny random encoders.

    python test/golden/make_heads_golden.py

Five encoders (CONFIGS), and on each every class of transformers that it can carry. Weights are drawn as float16, so that the
files are small and exact; everything is computed in float64 and stored as float32. Three batches each:
  pairs: rows of 11, 7 and 4 tokens, filled up, the first two with two segments;
  one:   two rows of one token;
  long:  one row of as many tokens as there are positions, of whose results only some positions are kept.
Multiple choice reads the pairs as two texts: the rows as choices, and the same in the opposite order. Two classes also have
every gradient of sum(outputs * cotangents).
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, ElectraConfig

HERE = Path(__file__).parent
SEED = 20031055
PAD, CLS, SEP = 0, 2, 3
SEGMENTS = [(4, 4), (3, 1), (2, 0)]  # tokens in both segments of each row

COMMON = dict(hidden_act="gelu", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12, pad_token_id=PAD)
ODD = COMMON | dict(layer_norm_eps=1e-6)
NAMES = dict(enumerate("abcde"))
CONFIGS = {
    # As ELECTRA-small and every generator: embeddings of another width than the encoder.
    "electra-small": ElectraConfig(
        vocab_size=61, embedding_size=12, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=512, **COMMON,
    ),
    # As ELECTRA-base: no projection.
    "electra-base": ElectraConfig(
        vocab_size=47, embedding_size=16, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=512, num_labels=3, **COMMON,
    ),
    # As bert-base-cased and SpanBERT.
    "bert-base": BertConfig(
        vocab_size=59, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=512, **COMMON,
    ),
    # Nothing is a power of two; named labels; three segments.
    "electra-odd": ElectraConfig(
        vocab_size=53, embedding_size=7, hidden_size=15, num_hidden_layers=1, num_attention_heads=3, intermediate_size=29,
        max_position_embeddings=37, type_vocab_size=3, id2label=NAMES, label2id={v: k for k, v in NAMES.items()}, **ODD,
    ),
    "bert-odd": BertConfig(
        vocab_size=43, hidden_size=21, num_hidden_layers=3, num_attention_heads=3, intermediate_size=25,
        max_position_embeddings=29, num_labels=4, **COMMON,
    ),
}
HEADS = ["Model", "ForPreTraining", "ForMaskedLM", "ForQuestionAnswering", "ForSequenceClassification",
         "ForTokenClassification", "ForMultipleChoice"]
FAMILIES = {"electra": "Electra", "bert": "Bert"}
# Their name -> ours.
OUTPUTS = {
    "logits": "logits", "prediction_logits": "logits", "seq_relationship_logits": "nextSentenceLogits",
    "start_logits": "startLogits", "end_logits": "endLogits", "last_hidden_state": "lastHiddenState",
    "pooler_output": "poolerOutput",
}
WITH_GRADIENTS = {("electra-odd", "ElectraForSequenceClassification"), ("bert-base", "BertForQuestionAnswering")}
NO_FIELDS_OF_MODELS = ("transformers_version", "torch_dtype", "dtype", "_name_or_path", "architectures")


def batches(config, generator):
    draw = lambda n: torch.randint(4, config.vocab_size, (n,), generator=generator)
    length, rows = 11, []
    for a, b in SEGMENTS:
        ids = [CLS, *draw(a).tolist(), SEP] + ([*draw(b).tolist(), SEP] if b else [])
        types = [0] * (a + 2) + [1] * (len(ids) - a - 2)
        fill = [0] * (length - len(ids))
        rows.append((ids + fill, [1] * len(ids) + fill, types + fill))
    ids, mask, types = (torch.tensor(column) for column in zip(*rows))
    longest = config.max_position_embeddings
    ones = lambda *shape: torch.ones(*shape, dtype=torch.long)
    return {
        "pairs": dict(input_ids=ids, attention_mask=mask, token_type_ids=types),
        "one": dict(input_ids=draw(2)[:, None], attention_mask=ones(2, 1), token_type_ids=torch.tensor([[0], [1]])),
        "long": dict(input_ids=draw(longest)[None], attention_mask=ones(1, longest),
                     token_type_ids=(torch.arange(longest) >= longest // 2).long()[None]),
    }


def draw_weights(shapes, generator):
    """Large enough for the heads to differ; layer norms around 1."""
    weights = {}
    for name, shape in shapes.items():
        scale = 0.1 if len(shape) == 1 else 1.0 if "embeddings." in name else 1.5 / shape[-1] ** 0.5
        start = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        values = torch.randn(shape, generator=generator, dtype=torch.float32)
        weights[name] = (start + scale * values).to(torch.float16)
    return weights


def kept(tensor, batch, length):
    if batch != "long" or tensor.ndim < 2 or tensor.shape[1] != length:
        return tensor
    return tensor[:, [0, 1, length // 2, length - 1]]


def main():
    generator = torch.Generator().manual_seed(SEED)
    torch.set_default_dtype(torch.float64)
    published = {}
    for name, config in CONFIGS.items():
        published[name] = {k: v for k, v in config.to_dict().items() if k not in NO_FIELDS_OF_MODELS}
        inputs = batches(config, generator)
        stored = {f"{b}.{key}": value.to(torch.int32) for b, keys in inputs.items() for key, value in keys.items()}
        encoder, base = {}, config.model_type + "."
        for class_name in (FAMILIES[config.model_type] + head for head in HEADS):
            own_config = type(config).from_dict(config.to_dict())
            if class_name.endswith("QuestionAnswering"):
                own_config.num_labels = 2  # start and end, whatever the labels of a classifier are
            own_config._attn_implementation = "eager"
            model = getattr(transformers, class_name)(own_config).eval()
            shapes = {key: tuple(p.shape) for key, p in model.named_parameters()}
            if class_name.endswith("Model"):
                encoder = weights = draw_weights(shapes, generator)
                stored |= {f"encoder.{base}{key}": value for key, value in weights.items()}
            else:
                own = draw_weights({k: s for k, s in shapes.items() if not k.startswith(base)}, generator)
                stored |= {f"{class_name}.{key}": value for key, value in own.items()}
                weights = own | {base + key: value for key, value in encoder.items()}
            with torch.no_grad():
                for key, parameter in model.named_parameters():
                    parameter.copy_(weights[key].double())
            for batch, tensors in inputs.items():
                stored |= run(name, class_name, model, batch, tensors, generator)
        save_file(stored, HERE / f"heads-{name}.safetensors")
    summary = {"transformers": transformers.__version__, "torch": torch.__version__, "configs": published}
    (HERE / "heads.json").write_text(json.dumps(summary, indent=1) + "\n")


def run(name, class_name, model, batch, tensors, generator):
    length = tensors["input_ids"].shape[1]
    if class_name.endswith("MultipleChoice"):
        if batch != "pairs":
            return {}
        tensors = {key: torch.stack([value, value.flip(0)]) for key, value in tensors.items()}
    whole = class_name.endswith("Model") and batch == "pairs"
    differentiate = batch == "pairs" and (name, class_name) in WITH_GRADIENTS
    with torch.set_grad_enabled(differentiate):
        outputs = model(**tensors, output_hidden_states=whole, output_attentions=whole)
    results = {OUTPUTS[key]: value for key, value in outputs.items() if key in OUTPUTS}
    stored = {f"{class_name}:{batch}.{key}": kept(value, batch, length) for key, value in results.items()}
    for theirs, ours in (("hidden_states", "hiddenStates"), ("attentions", "attentions")) if whole else ():
        stored |= {f"{class_name}:{batch}.{ours}.{i}": value for i, value in enumerate(outputs[theirs])}
    if differentiate:
        total = 0
        for key, value in results.items():
            cotangent = torch.randn(value.shape, generator=generator, dtype=torch.float32)
            if value.shape == tensors["attention_mask"].shape:
                # At padding none: transformers' lookup gives [PAD] no gradient (padding_idx), ours and TensorFlow's would.
                cotangent = cotangent * tensors["attention_mask"]
            stored[f"{class_name}:cotangent.{key}"] = cotangent
            total = total + (value * cotangent.double()).sum()
        total.backward()
        for key, parameter in model.named_parameters():
            if parameter.grad is not None:
                stored[f"{class_name}:gradient.{key}"] = parameter.grad
    return {key: value.detach().float().clone().contiguous() for key, value in stored.items()}


if __name__ == "__main__":
    main()
