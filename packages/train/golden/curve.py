"""Made the loss curves beside it: PyTorch's own training of a small RWKV-4 and RWKV-7, in float64, token by token as the formulas say.

    node --conditions=@receptance/source packages/train/golden/first-weights.ts
    python -m venv VENV && VENV/bin/pip install torch numpy safetensors
    VENV/bin/python packages/train/golden/curve.py

Same first weights, same data in the same order, same hyper-parameters as test/curve.test.ts: AdamW of torch.optim, its parameter groups,
clipping by torch.nn.utils, L2Wrap as the official trainers write it.
"""

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

HERE = Path(__file__).parent
SETTINGS = json.loads((HERE / "settings.json").read_text())
STEPS, SEQUENCES, LENGTH = (SETTINGS[name] for name in ("steps", "sequences", "length"))
VOCABULARY, SEED = SETTINGS["vocabularySize"], SETTINGS["seed"]


def walk(length: int) -> torch.Tensor:
    tokens = [0]
    for i in range(1, length):
        tokens.append((tokens[-1] * 5 + 3 + ((i * 0x9E3779B1 & 0xFFFFFFFF) >> 30)) % VOCABULARY)
    return torch.tensor(tokens)


def mix(x: int) -> int:
    x &= 0xFFFFFFFF
    x = (x ^ (x >> 17)) * 0xED5AD4BB & 0xFFFFFFFF
    x = (x ^ (x >> 11)) * 0xAC4C1B51 & 0xFFFFFFFF
    x = (x ^ (x >> 15)) * 0x31848BAB & 0xFFFFFFFF
    return x ^ (x >> 14)


def permuted(index: int, count: int, key: int) -> int:
    half = 1
    while 2 ** (2 * half) < count:
        half += 1
    size, place = 2**half, index
    while True:
        left, right = place // size, place % size
        for r in range(4):
            left, right = right, left ^ (mix(right ^ mix(key + r * 0x9E3779B9)) % size)
        place = left * size + right
        if place < count:
            return place


def window(data: torch.Tensor, number: int) -> torch.Tensor:
    windows = max(1, (len(data) - LENGTH) // LENGTH)
    key = mix(SEED ^ mix(mix(number // windows)))
    offset = key % (len(data) - windows * LENGTH)
    begin = offset + permuted(number % windows, windows, key) * LENGTH
    return data[begin : begin + LENGTH + 1]


def rate_of(step: int) -> float:
    s = SETTINGS["schedule"]
    if step < s["warmup"]:
        return s["rate"] * (step + 1) / s["warmup"]
    done = (step - s["warmup"]) / (STEPS - 1 - s["warmup"])
    return s["finalRate"] + (s["rate"] - s["finalRate"]) * (1 + math.cos(math.pi * done)) / 2


class L2Wrap(torch.autograd.Function):
    @staticmethod
    def forward(context, loss, logits):
        context.save_for_backward(logits)
        return loss

    @staticmethod
    def backward(context, gradient):
        (logits,) = context.saved_tensors
        largest, ids = logits.max(-1, keepdim=True)
        wrapped = torch.zeros_like(logits).scatter_(-1, ids, largest * SETTINGS["l2Wrap"] / (logits.shape[0] * logits.shape[1]))
        return gradient, wrapped


def norm(x, p, name):
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)


def shifted(x):
    return F.pad(x, (0, 0, 1, -1))


def time_mix4(x, p, a):
    before = shifted(x)
    mixed = lambda name: x * p[f"{a}time_mix_{name}"] + before * (1 - p[f"{a}time_mix_{name}"])
    r = torch.sigmoid(mixed("r") @ p[f"{a}receptance.weight"].T)
    k, v = mixed("k") @ p[f"{a}key.weight"].T, mixed("v") @ p[f"{a}value.weight"].T
    w, u = -torch.exp(p[f"{a}time_decay"]), p[f"{a}time_first"]
    aa, bb, pp = torch.zeros_like(k[:, 0]), torch.zeros_like(k[:, 0]), torch.full_like(k[:, 0], -1e30)
    out = []
    for t in range(x.shape[1]):
        q = torch.maximum(pp, u + k[:, t])
        e1, e2 = torch.exp(pp - q), torch.exp(u + k[:, t] - q)
        out.append((e1 * aa + e2 * v[:, t]) / (e1 * bb + e2))
        q = torch.maximum(pp + w, k[:, t])
        e1, e2 = torch.exp(pp + w - q), torch.exp(k[:, t] - q)
        aa, bb, pp = e1 * aa + e2 * v[:, t], e1 * bb + e2, q
    return (r * torch.stack(out, 1)) @ p[f"{a}output.weight"].T


def channel_mix4(x, p, f):
    before = shifted(x)
    mixed = lambda name: x * p[f"{f}time_mix_{name}"] + before * (1 - p[f"{f}time_mix_{name}"])
    k = torch.relu(mixed("k") @ p[f"{f}key.weight"].T) ** 2
    return torch.sigmoid(mixed("r") @ p[f"{f}receptance.weight"].T) * (k @ p[f"{f}value.weight"].T)


def time_mix7(x, p, a, v_first):
    batch, length, channels = x.shape
    heads, size = p[f"{a}r_k"].shape
    shape = (batch, length, heads, size)
    change = shifted(x) - x
    xr, xw, xk, xv, xa, xg = (x + change * p[f"{a}x_{name}"] for name in "rwkvag")
    r, k, v = xr @ p[f"{a}receptance.weight"].T, xk @ p[f"{a}key.weight"].T, xv @ p[f"{a}value.weight"].T
    w = torch.exp(-math.exp(-0.5) * torch.sigmoid(p[f"{a}w0"] + torch.tanh(xw @ p[f"{a}w1"]) @ p[f"{a}w2"])).view(shape)
    rate = torch.sigmoid(p[f"{a}a0"] + (xa @ p[f"{a}a1"]) @ p[f"{a}a2"])
    gate = torch.sigmoid(xg @ p[f"{a}g1"]) @ p[f"{a}g2"]
    if v_first is None:
        v_first = v
    else:
        v = v + (v_first - v) * torch.sigmoid(p[f"{a}v0"] + (xv @ p[f"{a}v1"]) @ p[f"{a}v2"])
    kk = F.normalize((k * p[f"{a}k_k"]).view(shape), dim=-1, eps=1e-12)
    k = (k * (1 + (rate - 1) * p[f"{a}k_a"])).view(shape)
    r, v, b = r.view(shape), v.view(shape), kk * rate.view(shape)
    state = x.new_zeros(batch, heads, size, size)
    out = []
    for t in range(length):
        removed = (state @ -kk[:, t, :, :, None]) @ b[:, t, :, None, :]
        state = state * w[:, t, :, None, :] + removed + v[:, t, :, :, None] @ k[:, t, :, None, :]
        out.append((state @ r[:, t, :, :, None])[..., 0])
    y = torch.stack(out, 1).reshape(batch * length, channels)
    y = F.group_norm(y, heads, p[f"{a}ln_x.weight"], p[f"{a}ln_x.bias"], 64e-5).view(shape)
    y = y + (r * k * p[f"{a}r_k"]).sum(-1, keepdim=True) * v
    return (y.view(batch, length, channels) * gate) @ p[f"{a}output.weight"].T, v_first


def channel_mix7(x, p, f):
    k = torch.relu((x + (shifted(x) - x) * p[f"{f}x_k"]) @ p[f"{f}key.weight"].T) ** 2
    return k @ p[f"{f}value.weight"].T


def logits(p, tokens):
    seven = "blocks.0.att.r_k" in p
    x = norm(F.embedding(tokens, p["emb.weight"]), p, "blocks.0.ln0")
    v_first, layer = None, 0
    while f"blocks.{layer}.ln1.weight" in p:
        h = norm(x, p, f"blocks.{layer}.ln1")
        a, f = f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
        if seven:
            y, v_first = time_mix7(h, p, a, v_first)
        else:
            y = time_mix4(h, p, a)
        x = x + y
        x = x + (channel_mix7 if seven else channel_mix4)(norm(x, p, f"blocks.{layer}.ln2"), p, f)
        layer += 1
    return norm(x, p, "ln_out") @ p["head.weight"].T


def group_of(name: str, value: torch.Tensor) -> tuple[float, float]:
    scale = 3.0 if name.endswith("time_first") else 2.0 if name.endswith(("att.w0", "time_decay")) else 1.0
    decays = name.endswith(".weight") and value.squeeze().dim() >= 2
    return scale, SETTINGS["weightDecay"] if decays else 0.0


def curve(first_weights: Path) -> list[float]:
    p = {name: value.double().requires_grad_() for name, value in load_file(first_weights).items()}
    adam = SETTINGS["adam"]
    groups = [{"params": [value], "scale": scale, "weight_decay": decay} for name, value in p.items() for scale, decay in [group_of(name, value)]]
    optimiser = torch.optim.AdamW(groups, lr=1, betas=(adam["beta1"], adam["beta2"]), eps=adam["epsilon"])
    data = walk(SETTINGS["tokens"])
    losses = []
    for step in range(STEPS):
        rows = torch.stack([window(data, step * SEQUENCES + s) for s in range(SEQUENCES)])
        out = logits(p, rows[:, :-1])
        loss = F.cross_entropy(out.flatten(0, 1), rows[:, 1:].flatten())
        optimiser.zero_grad()
        L2Wrap.apply(loss, out).backward()
        torch.nn.utils.clip_grad_norm_(p.values(), SETTINGS["clip"])
        for group in optimiser.param_groups:
            group["lr"] = rate_of(step) * group["scale"]
        optimiser.step()
        losses.append(loss.item())
        if step % 20 == 0 or step == STEPS - 1:
            print(first_weights.name, step, losses[-1], flush=True)
    return losses


if __name__ == "__main__":
    torch.set_num_threads(1)
    for architecture in SETTINGS["architectures"]:
        losses = curve(HERE / f"{architecture}.first.safetensors")
        (HERE / f"{architecture}.curve.json").write_text(json.dumps({"source": f"PyTorch {torch.__version__}, float64", "losses": losses}) + "\n")
