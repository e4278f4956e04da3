"""Writes the PyTorch and safetensors checkpoints of test/golden/checkpoints/ as PyTorch, huggingface_hub and tar write them.

    python test/golden/make_checkpoint_golden.py

Every checkpoint has a twin, NAME.expected.safetensors, with the values that PyTorch itself reads back from it. The bytes of
legacy files differ from run to run (storages are named by their address); the values do not.
"""

import gzip
import io
import json
import shutil
import tarfile
from argparse import Namespace
from collections import OrderedDict
from pathlib import Path

import torch
from huggingface_hub import save_torch_state_dict
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parent / "checkpoints"
LEGACY = dict(_use_new_zipfile_serialization=False)
HIDDEN, FEED_FORWARD, VOCABULARY, POSITIONS, ROWS, PAIR_POSITIONS = 8, 16, 11, 7, 3, 200


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(1907)
    tensors = every_kind()
    write("every-kind-zip", tensors, tensors)
    write("protocol-4", tensors, tensors, pickle_protocol=4)
    # PyTorch writes dtypes of the newer kind in the legacy form, but cannot read them back.
    del tensors["uint16"]
    write("every-kind-legacy", tensors, tensors, **LEGACY)
    weights = spanbert("")
    half = OrderedDict((name, value.half()) for name, value in weights.items())
    nested = {
        "epoch": 3,
        "best_loss": 1.25,
        "args": Namespace(lr=1e-4, betas=(0.9, 0.999)),
        "optimizer": {"state": {0: {"step": torch.tensor(5.0), "exp_avg": torch.zeros(2)}}, "param_groups": [{"params": [0]}]},
        "model_state_dict": half,
    }
    write("nested", nested, half)
    write_shards(weights)
    write_archives(half)


def every_kind():
    """Every dtype, and every way in which tensors share and view storages."""
    matrix = torch.randn(3, 4)
    long = torch.arange(20, dtype=torch.float32)
    tensors = OrderedDict(
        float32=matrix,
        tied=matrix,
        transposed=matrix.t(),
        rows=matrix[1:],
        column=matrix[:, 2],
        permuted=torch.randn(2, 3, 4).permute(2, 0, 1),
        every_third=long[1::3],
        windows=long.as_strided((4, 5), (2, 1)),
        expanded=torch.tensor([1.5, -2.5]).expand(3, 2),
        parameter=torch.nn.Parameter(torch.randn(2, 2)),
        scalar=torch.tensor(3.5),
        empty=torch.zeros(0, 4),
        position_ids=torch.arange(6).expand(1, -1),
        float64=torch.randn(3, dtype=torch.float64),
        float16=torch.tensor([1.0, -0.0, 6e-8, 65504.0, float("inf")], dtype=torch.float16),
        bfloat16=torch.tensor([1.0, 3.14159, -1e38], dtype=torch.bfloat16),
        half_transposed=torch.randn(3, 2).half().t(),
        int32=torch.tensor([-(2**31), 7], dtype=torch.int32),
        int16=torch.tensor([-300, 300], dtype=torch.int16),
        int8=torch.tensor([-128, 127], dtype=torch.int8),
        uint8=torch.tensor([0, 255], dtype=torch.uint8),
        uint16=torch.tensor([1, 65535], dtype=torch.uint16),
        boolean=torch.tensor([True, False]),
        complex=torch.tensor([1 + 2j]),
    )
    tensors._metadata = OrderedDict([("", {"version": 1}), ("embeddings", {"version": 1})])
    return tensors


def spanbert(prefix, norm=("weight", "bias"), heads=False):
    """One layer under the names of BERT; with heads under those of SpanBERT's pre-training."""
    linear = lambda name, out, size: {f"{name}.weight": torch.randn(out, size), f"{name}.bias": torch.randn(out)}
    layer_norm = lambda name: {f"{name}.{norm[0]}": 1 + torch.randn(HIDDEN), f"{name}.{norm[1]}": torch.randn(HIDDEN)}
    layer = "bert.encoder.layer.0"
    words = torch.randn(VOCABULARY, HIDDEN)
    named = {
        "bert.embeddings.word_embeddings.weight": words,
        "bert.embeddings.position_embeddings.weight": torch.randn(POSITIONS, HIDDEN),
        "bert.embeddings.token_type_embeddings.weight": torch.randn(2, HIDDEN),
        **layer_norm("bert.embeddings.LayerNorm"),
        **linear(f"{layer}.attention.self.query", HIDDEN, HIDDEN),
        **linear(f"{layer}.attention.self.key", HIDDEN, HIDDEN),
        **linear(f"{layer}.attention.self.value", HIDDEN, HIDDEN),
        **linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN),
        **layer_norm(f"{layer}.attention.output.LayerNorm"),
        **linear(f"{layer}.intermediate.dense", FEED_FORWARD, HIDDEN),
        **linear(f"{layer}.output.dense", HIDDEN, FEED_FORWARD),
        **layer_norm(f"{layer}.output.LayerNorm"),
    }
    if heads:
        pair = "cls.pair_target_predictions"
        named |= {
            "cls.predictions.bias": torch.randn(VOCABULARY),
            **linear("cls.predictions.transform.dense", HIDDEN, HIDDEN),
            **layer_norm("cls.predictions.transform.LayerNorm"),
            "cls.predictions.decoder.weight": words,
            f"{pair}.position_embeddings.weight": torch.randn(ROWS, PAIR_POSITIONS),
            **linear(f"{pair}.mlp_layer_norm.linear1", HIDDEN, 2 * HIDDEN + PAIR_POSITIONS),
            **layer_norm(f"{pair}.mlp_layer_norm.layer_norm1"),
            **linear(f"{pair}.mlp_layer_norm.linear2", HIDDEN, HIDDEN),
            **layer_norm(f"{pair}.mlp_layer_norm.layer_norm2"),
            f"{pair}.decoder.weight": words,
            f"{pair}.bias": torch.randn(VOCABULARY),
        }
    return OrderedDict((prefix + name, value) for name, value in named.items())


def write(name, content, weights, **options):
    path = FOLDER / f"{name}.bin"
    torch.save(content, path, **options)
    back = torch.load(path, weights_only=False)  # our own file of a moment ago
    back = back if isinstance(back, OrderedDict) else back["model_state_dict"]
    assert list(back) == list(weights)
    expect(name, back)
    print(path.name, path.stat().st_size, "bytes")


def expect(name, tensors):
    plain = {key: value.detach().contiguous().clone() for key, value in tensors.items() if not value.is_complex()}
    save_file(plain, FOLDER / f"{name}.expected.safetensors")


def write_shards(weights):
    for safe, pattern in [(True, "model{suffix}.safetensors"), (False, "pytorch_model{suffix}.bin")]:
        folder = FOLDER / ("sharded-safetensors" if safe else "sharded-torch")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        save_torch_state_dict(weights, folder, filename_pattern=pattern, max_shard_size=1500, safe_serialization=safe)
        assert len(list(folder.glob(pattern.format(suffix="-*")))) > 1
    expect("sharded", weights)


def write_archives(half):
    """As facebookresearch/SpanBERT gave its models out: the encoder for transformers, and the original with its heads."""
    config = dict(hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=2, intermediate_size=FEED_FORWARD, vocab_size=VOCABULARY)
    pack("spanbert-encoder", {"config.json": json.dumps(config).encode(), "pytorch_model.bin": saved(half)}, half)
    with_heads = OrderedDict(
        (name, value.half()) for name, value in spanbert("decoder.", norm=("gamma", "beta"), heads=True).items()
    )
    pack("spanbert-with-head", {"model.pt": saved(with_heads)}, with_heads)


def saved(tensors):
    buffer = io.BytesIO()
    torch.save(tensors, buffer, **LEGACY)
    return buffer.getvalue()


def pack(name, files, tensors):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for file, content in files.items():
            info = tarfile.TarInfo(file)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    path = FOLDER / f"{name}.tar.gz"
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    expect(name, tensors)
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
