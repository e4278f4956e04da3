"""Writes the TensorFlow checkpoints of test/golden/checkpoints/, and what transformers makes of them.

    python test/golden/make_tensorflow_golden.py write     with TensorFlow (requirements-tensorflow.txt)
    python test/golden/make_tensorflow_golden.py convert   with PyTorch and transformers 4.57, the last to read TensorFlow

Two runs, as TensorFlow and PyTorch cannot be loaded into one process. `write` saves variables under the names of
google-research/electra with tf.train.Saver, and what TensorFlow reads back from the file as .npz in a temporary file.
`convert` gives those arrays to transformers' own converter, load_tf_weights_in_electra, and keeps its state dicts.
"""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

FOLDER = Path(__file__).resolve().parent / "checkpoints"
BETWEEN = Path(tempfile.gettempdir()) / "pleiad-electra-tf1.npz"
VOCABULARY, POSITIONS, TYPES, EMBEDDING = 11, 7, 2, 6
DISCRIMINATOR = dict(hidden_size=8, intermediate_size=16, num_attention_heads=2)
GENERATOR = dict(hidden_size=4, intermediate_size=12, num_attention_heads=1)
LAYERS = 2


def variables(rng):
    """Names and shapes as model/modeling.py and run_pretraining.py of google-research/electra create them."""
    shapes = {
        "electra/embeddings/word_embeddings": (VOCABULARY, EMBEDDING),
        "electra/embeddings/token_type_embeddings": (TYPES, EMBEDDING),
        "electra/embeddings/position_embeddings": (POSITIONS, EMBEDDING),
        **layer_norm("electra/embeddings/LayerNorm", EMBEDDING),
        **encoder("electra", **DISCRIMINATOR),
        **encoder("generator", **GENERATOR),
        **dense("generator_predictions/dense", GENERATOR["hidden_size"], EMBEDDING),
        **layer_norm("generator_predictions/LayerNorm", EMBEDDING),
        "generator_predictions/output_bias": (VOCABULARY,),
        **dense("discriminator_predictions/dense", DISCRIMINATOR["hidden_size"], DISCRIMINATOR["hidden_size"]),
        **dense("discriminator_predictions/dense_1", DISCRIMINATOR["hidden_size"], 1),
    }
    values = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    slots = {f"{name}/{slot}": np.zeros_like(value) for name, value in values.items() for slot in ("adam_m", "adam_v")}
    return {"global_step": np.array(4000, dtype=np.int64), **values, **slots}


def dense(name, size, out):
    return {f"{name}/kernel": (size, out), f"{name}/bias": (out,)}


def layer_norm(name, size):
    return {f"{name}/beta": (size,), f"{name}/gamma": (size,)}


def encoder(scope, hidden_size, intermediate_size, num_attention_heads):
    shapes = dense(f"{scope}/embeddings_project", EMBEDDING, hidden_size)
    for index in range(LAYERS):
        layer = f"{scope}/encoder/layer_{index}"
        for part in ("query", "key", "value"):
            shapes |= dense(f"{layer}/attention/self/{part}", hidden_size, hidden_size)
        shapes |= dense(f"{layer}/attention/output/dense", hidden_size, hidden_size)
        shapes |= layer_norm(f"{layer}/attention/output/LayerNorm", hidden_size)
        shapes |= dense(f"{layer}/intermediate/dense", hidden_size, intermediate_size)
        shapes |= dense(f"{layer}/output/dense", intermediate_size, hidden_size)
        shapes |= layer_norm(f"{layer}/output/LayerNorm", hidden_size)
    return shapes


def write():
    import tensorflow.compat.v1 as tf

    tf.disable_eager_execution()
    values = variables(np.random.default_rng(2003))
    folder = fresh("electra-tf1")
    prefix = save(tf, values, folder / "model.ckpt", lambda index: "/cpu:0", global_step=4000)
    np.savez(BETWEEN, **{name: tf.train.load_variable(prefix, name) for name, _ in tf.train.list_variables(prefix)})

    # Two data files, as Saver(sharded=True) writes them for variables on two devices; dtypes besides float32; text.
    tf.reset_default_graph()
    rng = np.random.default_rng(2004)
    mixed = {
        "a/float32": rng.standard_normal((5, 3)).astype(np.float32),
        "a/float64": rng.standard_normal(4),
        "a/half": rng.standard_normal(4).astype(np.float16),
        "b/bfloat16": rng.standard_normal((2, 2)).astype(tf.bfloat16.as_numpy_dtype),
        "b/int32": np.array([-(2**31), 7], dtype=np.int32),
        "b/int64": np.array(2**40, dtype=np.int64),
        "b/bool": np.array([True, False]),
        "b/empty": np.zeros((0, 3), dtype=np.float32),
        "b/text": np.array([b"some", b"text"], dtype=object),
    }
    folder = fresh("tf1-two-shards")
    save(tf, mixed, folder / "model.ckpt", lambda index: f"/cpu:{index % 2}", sharded=True)
    numbers = {name: np.asarray(value).astype(float).ravel().tolist() for name, value in mixed.items() if name != "b/text"}
    (folder / "expected.json").write_text(json.dumps(numbers, indent=1) + "\n")


def fresh(name):
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    return folder


def save(tf, values, prefix, device, global_step=None, sharded=False):
    config = tf.ConfigProto(device_count={"CPU": 2}, intra_op_parallelism_threads=1)
    with tf.Session(config=config) as session:
        for index, (name, value) in enumerate(values.items()):
            with tf.device(device(index)):
                tf.get_variable(name, initializer=tf.constant(value), use_resource=False)
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(sharded=sharded, save_relative_paths=True)
        return saver.save(session, str(prefix), global_step=global_step, write_meta_graph=False)


def convert():
    import torch
    from safetensors.torch import save_file
    from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining
    from transformers.models.electra.modeling_electra import load_tf_weights_in_electra

    arrays = np.load(BETWEEN)
    reader = SimpleNamespace(
        list_variables=lambda path: [(name, arrays[name].shape) for name in arrays.files],
        load_variable=lambda path, name: arrays[name],
    )
    sys.modules["tensorflow"] = SimpleNamespace(train=reader)
    common = dict(vocab_size=VOCABULARY, embedding_size=EMBEDDING, max_position_embeddings=POSITIONS, num_hidden_layers=LAYERS)
    for part, model_class, size in [
        ("discriminator", ElectraForPreTraining, DISCRIMINATOR),
        ("generator", ElectraForMaskedLM, GENERATOR),
    ]:
        model = model_class(ElectraConfig(**common, **size))
        load_tf_weights_in_electra(model, model.config, str(BETWEEN), discriminator_or_generator=part)
        state = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
        save_file(state, FOLDER / "electra-tf1" / f"{part}.expected.safetensors")
        print(part, len(state), "tensors")
    BETWEEN.unlink()


if __name__ == "__main__":
    {"write": write, "convert": convert}[sys.argv[1]]()
