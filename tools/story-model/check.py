"""Checks of the trainer's mathematics: the kernel against the plain loop, and the model against golden checkpoints.

    python tools/story-model/check.py [--golden FOLDER]

FOLDER holds rwkv7_l2_c128_v97.pth with .golden.safetensors and .grads.safetensors, as in packages/conformance/golden/models.
"""

import argparse
from pathlib import Path

import torch
from torch.nn import functional as F

from model import Generator, logits
from wkv7 import wkv7, wkv7_loop


def check_kernel() -> None:
    random = torch.Generator().manual_seed(1)
    for size in (32, 64):
        for dtype, bound in ((torch.float64, 1e-11), (torch.float32, 2e-5)):
            r, k, v, a, up = (torch.randn(2, 48, 3, size, generator=random, dtype=dtype) for _ in range(5))
            kk = F.normalize(a, dim=-1)
            rate, decay = (torch.rand(2, 48, 3, size, generator=random, dtype=dtype) for _ in range(2))
            inputs = [t.requires_grad_() for t in (r, torch.exp(-0.6065 * decay), k, v, -kk, kk * rate)]
            gradients = [torch.autograd.grad(f(*inputs), inputs, up) for f in (wkv7, wkv7_loop)]
            outputs = [f(*inputs) for f in (wkv7, wkv7_loop)]
            worst = max(((x - y).abs().max() / y.abs().max()).item() for x, y in zip(*[(o, *g) for o, g in zip(outputs, gradients)]))
            print(f"kernel N={size} {dtype}: largest relative difference {worst:.1e}")
            assert worst < bound


def check_golden(folder: Path) -> None:
    from safetensors.torch import load_file

    stem = "rwkv7_l2_c128_v97"
    golden = load_file(folder / f"{stem}.golden.safetensors")
    expected = load_file(folder / f"{stem}.grads.safetensors")
    loaded = torch.load(folder / f"{stem}.pth", map_location="cpu", weights_only=True)
    p = {name: value.double().requires_grad_() for name, value in loaded.items()}
    out = logits(p, golden["prompt"].long()[None])[0]
    print(f"logits, whole sequence: {(out - golden['logits']).abs().max():.1e}")
    assert (out - golden["logits"]).abs().max() < 1e-5
    generator = Generator(p)
    steps = torch.cat([generator.step(token.long()[None]) for token in golden["prompt"]])
    print(f"logits, token by token: {(steps - golden['logits']).abs().max():.1e}")
    assert (steps - golden["logits"]).abs().max() < 1e-5
    loss = F.cross_entropy(logits(p, expected["idx"].long()).flatten(0, 1), expected["tgt"].long().flatten())
    loss.backward()
    worst = 0.0
    for name, value in p.items():
        grad = expected.get(f"grad.{name}")
        if grad is None or value.grad is None:
            print(f"  no gradient of {name}: {grad is None} in the file, {value.grad is None} here")
            continue
        worst = max(worst, ((value.grad - grad).abs().max() / grad.abs().max().clamp_min(1e-12)).item())
    print(f"loss {loss.item():.9f}, expected {expected['loss'].item():.9f}; gradients: largest relative difference {worst:.1e}")
    assert worst < 1e-5


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--golden", type=Path)
    options = arguments.parse_args()
    check_kernel()
    if options.golden:
        check_golden(options.golden)
