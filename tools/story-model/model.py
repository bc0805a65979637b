"""RWKV-7 with the official parameter names, for training (whole sequences) and for generation (one token at a time)."""

import math
from dataclasses import asdict, dataclass

import torch
from torch.nn import functional as F

from wkv7 import CHUNK, wkv7

Parameters = dict[str, torch.Tensor]
DECAY_SCALE = -math.exp(-0.5)


@dataclass(frozen=True)
class Size:
    vocabulary: int = 256
    layers: int = 5
    channels: int = 128
    head_size: int = 64
    ffn: int = 512
    decay_rank: int = 32
    rate_rank: int = 32
    value_rank: int = 16
    gate_rank: int = 32

    def facts(self) -> dict[str, int]:
        return asdict(self)


def size_of(p: Parameters) -> Size:
    """The size of a checkpoint, read from its shapes."""
    heads, head_size = p["blocks.0.att.r_k"].shape
    last = max(int(name.split(".")[1]) for name in p if name.startswith("blocks."))
    value = p.get(f"blocks.{last}.att.v1")
    return Size(
        vocabulary=p["emb.weight"].shape[0],
        layers=last + 1,
        channels=heads * head_size,
        head_size=head_size,
        ffn=p["blocks.0.ffn.key.weight"].shape[0],
        decay_rank=p["blocks.0.att.w1"].shape[1],
        rate_rank=p["blocks.0.att.a1"].shape[1],
        value_rank=value.shape[1] if value is not None else 0,
        gate_rank=p["blocks.0.att.g1"].shape[1],
    )


def initial(size: Size, seed: int) -> Parameters:
    """Fresh parameters: spread decays and mixes, zero output and value matrices, a tiny embedding."""
    random = torch.Generator().manual_seed(seed)
    C, N, L, V = size.channels, size.head_size, size.layers, size.vocabulary

    def flat(*shape: int, bound: float) -> torch.Tensor:
        return (torch.rand(*shape, generator=random) * 2 - 1) * bound

    def orthogonal(rows: int, columns: int, gain: float) -> torch.Tensor:
        long, short = max(rows, columns), min(rows, columns)
        q, upper = torch.linalg.qr(torch.randn(long, short, generator=random))
        q = q * upper.diagonal().sign()
        return gain * (q if rows >= columns else q.T).contiguous()

    def lora(prefix: str, rank: int) -> Parameters:
        gain = 0.1 * max(1.0, math.sqrt(rank / C))
        return {f"{prefix}1": torch.zeros(C, rank), f"{prefix}2": orthogonal(rank, C, gain)}

    channel = torch.arange(C) / C
    linear = torch.arange(C) / (C - 1) - 0.5
    zigzag = ((torch.arange(C) % N) - (N - 1) / 2) / ((N - 1) / 2)
    zigzag = zigzag * zigzag.abs()
    p: Parameters = {"emb.weight": flat(V, C, bound=1e-4)}
    for layer in range(L):
        depth = layer / max(1, L - 1)
        left = 1 - layer / L
        b, a, f = f"blocks.{layer}.", f"blocks.{layer}.att.", f"blocks.{layer}.ffn."
        for norm in ["ln0", "ln1", "ln2"] if layer == 0 else ["ln1", "ln2"]:
            p[f"{b}{norm}.weight"], p[f"{b}{norm}.bias"] = torch.ones(C), torch.zeros(C)
        for name, power in {"r": 0.2, "w": 0.9, "k": 0.7, "v": 0.7, "a": 0.9, "g": 0.2}.items():
            p[f"{a}x_{name}"] = (1 - channel ** (power * left)).view(1, 1, C)
        speed = -6 + 6 * (torch.arange(C) / (C - 1)) ** (1 + depth**0.3)
        p[f"{a}w0"] = (speed + 0.5 + zigzag * 2.5).view(1, 1, C)
        p.update(lora(f"{a}w", size.decay_rank))
        p[f"{a}a0"] = (-0.19 + zigzag * 0.3 + linear * 0.4).view(1, 1, C)
        p.update(lora(f"{a}a", size.rate_rank))
        if layer > 0:
            p[f"{a}v0"] = (0.73 - linear * 0.4).view(1, 1, C)
            p.update(lora(f"{a}v", size.value_rank))
        p.update(lora(f"{a}g", size.gate_rank))
        p[f"{a}k_k"] = (0.71 - linear * 0.1).view(1, 1, C)
        p[f"{a}k_a"] = torch.full((1, 1, C), 1.02)
        p[f"{a}r_k"] = torch.full((C // N, N), -0.04)
        p[f"{a}receptance.weight"] = flat(C, C, bound=0.5 / math.sqrt(C))
        p[f"{a}key.weight"] = flat(C, C, bound=0.05 / math.sqrt(C))
        p[f"{a}value.weight"] = flat(C, C, bound=0.5 / math.sqrt(C))
        p[f"{a}output.weight"] = torch.zeros(C, C)
        p[f"{a}ln_x.weight"], p[f"{a}ln_x.bias"] = torch.full((C,), ((1 + layer) / L) ** 0.7), torch.zeros(C)
        p[f"{f}x_k"] = (1 - channel ** (left**4)).view(1, 1, C)
        p[f"{f}key.weight"] = flat(size.ffn, C, bound=0.5 / math.sqrt(C))
        p[f"{f}value.weight"] = torch.zeros(C, size.ffn)
    p["ln_out.weight"], p["ln_out.bias"] = torch.ones(C), torch.zeros(C)
    p["head.weight"] = orthogonal(V, C, 0.5 * math.sqrt(max(1.0, V / C)))
    return p


def norm(x: torch.Tensor, p: Parameters, name: str) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)


def previous(x: torch.Tensor, first: torch.Tensor | None) -> torch.Tensor:
    """Each token's predecessor; before the first comes `first` (B, C), or zero."""
    if first is None:
        return F.pad(x, (0, 0, 1, -1))
    return torch.cat([first[:, None], x[:, :-1]], 1)


def time_mix(x, p: Parameters, layer: int, v_first, recurrence, before):
    """x is (B, T, C), ln1's output. Gives the output and v_first (layer 0's values, used by all later layers)."""
    a = f"blocks.{layer}.att."
    batch, length, channels = x.shape
    heads, size = p[f"{a}r_k"].shape
    shape = (batch, length, heads, size)
    change = previous(x, before) - x
    x_r, x_w, x_k, x_v, x_a, x_g = (torch.addcmul(x, change, p[f"{a}x_{name}"]) for name in "rwkvag")
    r = F.linear(x_r, p[f"{a}receptance.weight"])
    k = F.linear(x_k, p[f"{a}key.weight"])
    v = F.linear(x_v, p[f"{a}value.weight"])
    w = torch.exp(DECAY_SCALE * torch.sigmoid(p[f"{a}w0"] + torch.tanh(x_w @ p[f"{a}w1"]) @ p[f"{a}w2"]))
    rate = torch.sigmoid(p[f"{a}a0"] + (x_a @ p[f"{a}a1"]) @ p[f"{a}a2"])
    gate = torch.sigmoid(x_g @ p[f"{a}g1"]) @ p[f"{a}g2"]
    if layer == 0:
        v_first = v
    else:
        v = torch.lerp(v, v_first, torch.sigmoid(p[f"{a}v0"] + (x_v @ p[f"{a}v1"]) @ p[f"{a}v2"]))
    kk = F.normalize((k * p[f"{a}k_k"]).view(shape), dim=-1, eps=1e-12)
    k = k * (1 + (rate - 1) * p[f"{a}k_a"])
    r, w, k, v_heads = (t.view(shape) for t in (r, w, k, v))
    y = recurrence(r, w, k, v_heads, -kk, kk * rate.view(shape))
    y = F.group_norm(y.reshape(batch * length, channels), heads, p[f"{a}ln_x.weight"], p[f"{a}ln_x.bias"], 64e-5)
    y = y.view(shape) + (r * k * p[f"{a}r_k"]).sum(-1, keepdim=True) * v_heads
    return F.linear(y.view(batch, length, channels) * gate, p[f"{a}output.weight"]), v_first


def channel_mix(x, p: Parameters, layer: int, before):
    f = f"blocks.{layer}.ffn."
    k = torch.relu(F.linear(torch.addcmul(x, previous(x, before) - x, p[f"{f}x_k"]), p[f"{f}key.weight"]))
    return F.linear(k * k, p[f"{f}value.weight"])


def logits(p: Parameters, tokens: torch.Tensor, recurrence=wkv7) -> torch.Tensor:
    """(B, T) tokens to (B, T, V) logits, every row from the zero state. The kernel wants T a multiple of 16."""
    layers = size_of(p).layers
    x = norm(F.embedding(tokens, p["emb.weight"]), p, "blocks.0.ln0")
    v_first = None
    for layer in range(layers):
        out, v_first = time_mix(norm(x, p, f"blocks.{layer}.ln1"), p, layer, v_first, recurrence, None)
        x = x + out
        x = x + channel_mix(norm(x, p, f"blocks.{layer}.ln2"), p, layer, None)
    return F.linear(norm(x, p, "ln_out"), p["head.weight"])


class Generator:
    """Holds the recurrent state of B sequences and advances them token by token, by the plain formula."""

    def __init__(self, p: Parameters, batch: int = 1):
        self.p, self.size = p, size_of(p)
        s = self.size
        zeros = torch.zeros(batch, s.channels, dtype=p["emb.weight"].dtype)
        self.att = [zeros.clone() for _ in range(s.layers)]
        self.ffn = [zeros.clone() for _ in range(s.layers)]
        self.kv = [zeros.new_zeros(batch, s.channels // s.head_size, s.head_size, s.head_size) for _ in range(s.layers)]

    @torch.no_grad()
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B,) tokens to (B, V) logits of the next one."""
        p = self.p
        x = norm(F.embedding(tokens[:, None], p["emb.weight"]), p, "blocks.0.ln0")
        v_first = None
        for layer in range(self.size.layers):
            h = norm(x, p, f"blocks.{layer}.ln1")
            out, v_first = time_mix(h, p, layer, v_first, lambda *inputs, layer=layer: self._advance(layer, *inputs), self.att[layer])
            self.att[layer] = h[:, 0]
            x = x + out
            h = norm(x, p, f"blocks.{layer}.ln2")
            x = x + channel_mix(h, p, layer, self.ffn[layer])
            self.ffn[layer] = h[:, 0]
        return F.linear(norm(x, p, "ln_out"), p["head.weight"])[:, 0]

    def _advance(self, layer: int, *inputs: torch.Tensor) -> torch.Tensor:
        r, w, k, v, a, b = (t[:, 0] for t in inputs)
        state = self.kv[layer]
        state = state * w[:, :, None, :] + (state @ a[..., None]) @ b[:, :, None, :] + v[..., None] @ k[:, :, None, :]
        self.kv[layer] = state
        return (state @ r[..., None])[..., 0][:, None]


def padded(length: int) -> int:
    """The next length the kernel takes."""
    return -(-length // CHUNK) * CHUNK
