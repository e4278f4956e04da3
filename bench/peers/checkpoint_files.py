"""Writes a large random checkpoint in every form that PyTorch and safetensors have, and times PyTorch reading one.

    python bench/peers/checkpoint_files.py make FOLDER < shapes.json      {"tensor": [sizes], …}
    python bench/peers/checkpoint_files.py load FILE                      prints {"ms": …, "cpuMs": …, "peakMemoryMiB": …}

Used by `npm run bench -- load`.
"""

import json
import resource
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def make(folder):
    torch.manual_seed(335)
    tensors = {name: torch.randn(sizes) * 0.02 for name, sizes in json.load(sys.stdin).items()}
    save_file(tensors, folder / "float32.safetensors", metadata={"format": "pt"})
    torch.save(tensors, folder / "float32-zip.bin")
    torch.save(tensors, folder / "float32-legacy.bin", _use_new_zipfile_serialization=False)
    tensors = {name: tensor.half() for name, tensor in tensors.items()}
    save_file(tensors, folder / "float16.safetensors", metadata={"format": "pt"})
    torch.save(tensors, folder / "float16-legacy.bin", _use_new_zipfile_serialization=False)


def load(path):
    started, started_cpu = time.perf_counter(), time.process_time()
    tensors = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    # As Pleiad does: everything in memory of its own, as float32. A mapped file is read here at the latest.
    tensors = {name: tensor.float() if tensor.dtype != torch.float32 else tensor.clone() for name, tensor in tensors.items()}
    ms, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    assert len(tensors) > 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": 1000 * ms, "cpuMs": 1000 * cpu, "peakMemoryMiB": peak}))


if __name__ == "__main__":
    {"make": make, "load": load}[sys.argv[1]](Path(sys.argv[2]))
