"""Writes optimizer.json beside this script: ten AdamW steps, by value, for both kinds of AdamW that Pleiad offers.

    python test/golden/make_optimizer_golden.py

`corrected` is torch.optim.AdamW (decoupled weight decay, bias-corrected moments).
`reference` is the optimizer of the released ELECTRA code, which never corrects the bias:
    m = b1 m + (1-b1) g,  v = b2 v + (1-b2) g^2,  p -= rate (m / (sqrt(v) + epsilon) + decay p)
Both see the same gradients, clipped together to a global norm of 1: g min(1, 1 / norm), with no epsilon under the norm.
All numbers are float64; starting values, gradients and rates are exact in float32.
"""

import json
from pathlib import Path

import numpy as np
import torch

SEED = 20191223
NUM_STEPS = 10
BETAS = (0.9, 0.999)
EPSILON = 1e-6
WEIGHT_DECAY = 0.01
MAX_GRADIENT_NORM = 1.0
SHAPES = {"dense.weight": (2, 3), "dense.bias": (4,)}
DECAYED = {"dense.weight": True, "dense.bias": False}
# Warm-up, peak, decay and a rate of 0. Large, so that ten steps move the weights visibly.
RATES = [0.002, 0.004, 0.006, 0.008, 0.01, 0.008, 0.006, 0.004, 0.002, 0.0]
# Gradient sizes that lead to steps with and without clipping, and one step without any gradient.
GRADIENT_SCALES = [3.0, 0.05, 1.0, 0.2, 0.0, 10.0, 0.1, 0.5, 0.01, 2.0]


def main():
    rng = np.random.default_rng(SEED)
    initial = {name: float32_values(rng, shape, 0.5) for name, shape in SHAPES.items()}
    rates = [float(np.float32(rate)) for rate in RATES]
    gradients = [{name: float32_values(rng, shape, scale) for name, shape in SHAPES.items()} for scale in GRADIENT_SCALES]
    norms = [global_norm(step) for step in gradients]
    assert any(0 < norm < MAX_GRADIENT_NORM for norm in norms) and any(norm > MAX_GRADIENT_NORM for norm in norms)
    clipped = [
        {name: gradient * clip_factor(norm) for name, gradient in step.items()} for step, norm in zip(gradients, norms)
    ]

    result = {
        "madeBy": "test/golden/make_optimizer_golden.py",
        "versions": {"torch": torch.__version__.split("+")[0], "numpy": np.__version__},
        "seed": SEED,
        "betas": BETAS,
        "epsilon": EPSILON,
        "weightDecay": WEIGHT_DECAY,
        "decayed": DECAYED,
        "maxGradientNorm": MAX_GRADIENT_NORM,
        "shapes": SHAPES,
        "initial": flat(initial),
        "learningRates": rates,
        "gradients": [flat(step) for step in gradients],
        "gradientNorms": norms,
        "corrected": corrected_adamw(initial, clipped, rates),
        "reference": reference_adamw(initial, clipped, rates),
    }
    path = Path(__file__).resolve().parent / "optimizer.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path.name, path.stat().st_size, "bytes", result["corrected"][-1]["parameters"])


def float32_values(rng, shape, scale):
    return (scale * rng.standard_normal(shape)).astype(np.float32).astype(np.float64)


def global_norm(step):
    return float(np.sqrt(sum(np.sum(gradient**2) for gradient in step.values())))


def clip_factor(norm):
    return min(1.0, MAX_GRADIENT_NORM / norm) if norm > 0 else 1.0


def corrected_adamw(initial, clipped, rates):
    parameters = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in initial.items()}
    groups = [
        {"params": [parameter], "weight_decay": WEIGHT_DECAY if DECAYED[name] else 0.0}
        for name, parameter in parameters.items()
    ]
    optimizer = torch.optim.AdamW(groups, lr=0.0, betas=BETAS, eps=EPSILON)
    steps = []
    for gradients, rate in zip(clipped, rates):
        for name, parameter in parameters.items():
            parameter.grad = torch.tensor(gradients[name])
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        state = {name: optimizer.state[parameter] for name, parameter in parameters.items()}
        steps.append(
            {
                "parameters": flat({name: parameter.detach().numpy() for name, parameter in parameters.items()}),
                "firstMoments": flat({name: moments["exp_avg"].numpy() for name, moments in state.items()}),
                "secondMoments": flat({name: moments["exp_avg_sq"].numpy() for name, moments in state.items()}),
            }
        )
    return steps


def reference_adamw(initial, clipped, rates):
    p = dict(initial)
    m = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    v = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    steps = []
    for gradients, rate in zip(clipped, rates):
        for name, g in gradients.items():
            decay = WEIGHT_DECAY if DECAYED[name] else 0.0
            m[name] = BETAS[0] * m[name] + (1 - BETAS[0]) * g
            v[name] = BETAS[1] * v[name] + (1 - BETAS[1]) * g**2
            p[name] = p[name] - rate * (m[name] / (np.sqrt(v[name]) + EPSILON) + decay * p[name])
        steps.append({"parameters": flat(p), "firstMoments": flat(m), "secondMoments": flat(v)})
    return steps


def flat(arrays):
    return {name: np.asarray(array).reshape(-1).tolist() for name, array in arrays.items()}


if __name__ == "__main__":
    main()
