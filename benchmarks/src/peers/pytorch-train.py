"""Trains RWKV-4 or RWKV-7 in PyTorch, both in their chunked forms: the requests trainOpen and trainSteps of src/runner/protocol.ts."""

import json
import math
import resource
import sys
import time

import torch
from torch.nn import functional as F

CHUNK_4, CHUNK_7 = 32, 16


def wkv7(r, lw, k, v, a, b):
    """(B, T, H, D) each. Parallel within 16 tokens, products of (16, D) matrices; a loop over T / 16 states."""
    batch, length, heads, size = r.shape
    chunks = length // CHUNK_7

    def cut(x):
        return x.view(batch, chunks, CHUNK_7, heads, size).permute(0, 3, 1, 2, 4)

    r, lw, k, v, a, b = map(cut, (r, lw, k, v, a, b))
    total = lw.cumsum(3)
    decay, inverse, last = total.exp(), (-total).exp(), total[..., -1:, :].exp()
    r, a = r * decay, a * (total - lw).exp()
    k, b = k * inverse, b * inverse
    before = torch.ones(CHUNK_7, CHUNK_7, dtype=torch.bool).tril(-1)
    upto = before | torch.eye(CHUNK_7, dtype=torch.bool)
    ab, ak = (a @ b.mT).masked_fill(~before, 0), (a @ k.mT).masked_fill(~before, 0)
    rb, rk = (r @ b.mT).masked_fill(~upto, 0), (r @ k.mT).masked_fill(~upto, 0)
    solved = ab + torch.eye(CHUNK_7)
    power = ab
    for _ in range(3):
        power = power @ power
        solved = solved + solved @ power
    of_state, of_values = solved @ a, solved @ (ak @ v)
    kl, bl = (k * last).mT, (b * last).mT
    state = r.new_zeros(batch, heads, size, size)
    own = rk @ v
    answers = []
    for c in range(chunks):
        u = of_state[:, :, c] @ state + of_values[:, :, c]
        answers.append(r[:, :, c] @ state + rb[:, :, c] @ u + own[:, :, c])
        state = state * last[:, :, c].mT + kl[:, :, c] @ v[:, :, c] + bl[:, :, c] @ u
    return torch.stack(answers, 2).permute(0, 2, 3, 1, 4).reshape(batch, length, heads * size)


def wkv4(w, u, k, v):
    """w, u: (C,); k, v: (B, T, C). Within 32 tokens one matrix a channel; a loop over T / 32 states."""
    batch, length, channels = k.shape
    chunks = length // CHUNK_4
    k, v = (x.view(batch, chunks, CHUNK_4, channels) for x in (k, v))
    most = k.detach().amax(2, keepdim=True)
    e = (k - most).exp()
    step = torch.arange(CHUNK_4)
    apart = (step[:, None] - 1 - step[None, :]).clamp(min=0)
    weights = (w[:, None, None] * apart).exp().tril(-1) + torch.diag_embed(u[:, None].exp().expand(-1, CHUNK_4))
    both = torch.stack([e * v, e])
    flat = both.permute(4, 3, 0, 1, 2).reshape(channels, CHUNK_4, -1)
    inside = (weights @ flat).view(channels, CHUNK_4, 2, batch, chunks).permute(2, 3, 4, 1, 0)
    ends = (both * (w * (CHUNK_4 - 1 - step)[:, None]).exp()).sum(3)
    state, scale = k.new_zeros(2, batch, channels), k.new_full((batch, channels), -1e30)
    states, scales = [], []
    for c in range(chunks):
        states.append(state)
        scales.append(scale)
        moved = scale + w * CHUNK_4
        after = torch.maximum(moved, most[:, c, 0]).detach()
        state = state * (moved - after).exp() + ends[:, :, c] * (most[:, c, 0] - after).exp()
        scale = after
    states, scales = torch.stack(states, 2)[:, :, :, None], torch.stack(scales, 1)[:, :, None]
    moved = scales + w * step[:, None]
    joint = torch.maximum(moved, most).detach()
    above, below = states * (moved - joint).exp() + inside * (most - joint).exp()
    return (above / below).view(batch, length, channels)


def shifted(x):
    return F.pad(x, (0, 0, 1, -1))


class Block4(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        c, f = size["width"], size["ffn"]
        self.ln1, self.ln2 = torch.nn.LayerNorm(c), torch.nn.LayerNorm(c)
        self.mix = torch.nn.Parameter(torch.rand(5, c))
        self.decay, self.first = torch.nn.Parameter(torch.rand(c) * 7 - 5), torch.nn.Parameter(torch.randn(c) / 2)
        self.r, self.k, self.v, self.o, self.fr = (torch.nn.Linear(c, c, bias=False) for _ in range(5))
        self.fk, self.fv = torch.nn.Linear(c, f, bias=False), torch.nn.Linear(f, c, bias=False)

    def forward(self, x, _):
        h = self.ln1(x)
        before = shifted(h)
        k, v, r = (torch.lerp(before, h, self.mix[i]) for i in range(3))
        x = x + self.o(torch.sigmoid(self.r(r)) * wkv4(-self.decay.exp(), self.first, self.k(k), self.v(v)))
        h = self.ln2(x)
        before = shifted(h)
        k, r = (torch.lerp(before, h, self.mix[3 + i]) for i in range(2))
        return x + torch.sigmoid(self.fr(r)) * self.fv(torch.relu(self.fk(k)) ** 2), None


class Block7(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        c, f = size["width"], size["ffn"]
        self.heads, self.ranks = c // size["headSize"], size["ranks"]
        self.ln1, self.ln2 = torch.nn.LayerNorm(c), torch.nn.LayerNorm(c)
        self.mix = torch.nn.Parameter(torch.rand(7, c))
        self.bias = torch.nn.Parameter(torch.randn(3, c) / 2)
        self.scale = torch.nn.Parameter(torch.rand(2, c))
        self.bonus = torch.nn.Parameter(torch.randn(self.heads, c // self.heads) / 5)
        self.r, self.k, self.v, self.o = (torch.nn.Linear(c, c, bias=False) for _ in range(4))
        for name, rank in self.ranks.items():
            setattr(self, f"{name}1", torch.nn.Parameter(torch.randn(c, rank) * c**-0.5))
            setattr(self, f"{name}2", torch.nn.Parameter(torch.randn(rank, c) * rank**-0.5))
        self.norm = torch.nn.GroupNorm(self.heads, c, eps=64e-5)
        self.fk, self.fv = torch.nn.Linear(c, f, bias=False), torch.nn.Linear(f, c, bias=False)

    def forward(self, x, first):
        batch, length, c = x.shape
        shape = (batch, length, self.heads, c // self.heads)
        h = self.ln1(x)
        change = shifted(h) - h
        xr, xw, xk, xv, xa, xg = (torch.addcmul(h, change, self.mix[i]) for i in range(6))
        r, k, v = self.r(xr), self.k(xk), self.v(xv)
        lw = -math.exp(-0.5) * torch.sigmoid(self.bias[0] + torch.tanh(xw @ self.w1) @ self.w2)
        rate = torch.sigmoid(self.bias[1] + (xa @ self.a1) @ self.a2)
        gate = torch.sigmoid(xg @ self.g1) @ self.g2
        if first is None:
            first = v
        else:
            v = torch.lerp(v, first, torch.sigmoid(self.bias[2] + (xv @ self.v1) @ self.v2))
        kk = F.normalize((k * self.scale[0]).view(shape), dim=-1, eps=1e-12)
        k = k * (1 + (rate - 1) * self.scale[1])
        r4, k4, v4 = r.view(shape), k.view(shape), v.view(shape)
        y = wkv7(r4, lw.view(shape), k4, v4, -kk, kk * rate.view(shape))
        y = self.norm(y.reshape(batch * length, c)).view(batch, length, c)
        y = y + ((r4 * k4 * self.bonus).sum(-1, keepdim=True) * v4).view(batch, length, c)
        x = x + self.o(y * gate)
        h = self.ln2(x)
        return x + self.fv(torch.relu(self.fk(torch.addcmul(h, shifted(h) - h, self.mix[6]))) ** 2), first


class Model(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.emb = torch.nn.Embedding(size["vocabulary"], size["width"])
        self.first, self.last = torch.nn.LayerNorm(size["width"]), torch.nn.LayerNorm(size["width"])
        block = Block7 if size["version"] == 7 else Block4
        self.blocks = torch.nn.ModuleList(block(size) for _ in range(size["layers"]))
        self.head = torch.nn.Linear(size["width"], size["vocabulary"], bias=False)

    def forward(self, tokens, targets):
        x, first = self.first(self.emb(tokens)), None
        for block in self.blocks:
            x, first = block(x, first)
        return F.cross_entropy(self.head(self.last(x)).flatten(0, 1), targets.flatten())


class Runner:
    def trainOpen(self, size, threads, compiled=False, **_):
        batch, tokens = size["batch"], size["tokens"]
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        model = Model(size)
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), fused=True)
        self.text = torch.tensor([[(7919 * (s * tokens + t) + t // 8) % size["vocabulary"] for t in range(tokens + 1)] for s in range(batch)])
        self.loss = torch.compile(model) if compiled else model
        self.step()
        count = sum(p.numel() for p in model.parameters())
        return {"adapter": f"PyTorch {torch.__version__}{', compiled' if compiled else ''}", "parameters": count}

    def step(self):
        loss = self.loss(self.text[:, :-1], self.text[:, 1:])
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return loss.item()

    def trainSteps(self, steps):
        times, losses = [], []
        for _ in range(steps):
            began = time.perf_counter()
            losses.append(self.step())
            times.append(1000 * (time.perf_counter() - began))
        return {"times": times, "losses": losses}

    def memory(self):
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def check():
    """Both chunked forms against the plain recurrences: `pytorch-train.py check`."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    r, k, v, a = (torch.randn(2, 64, 2, 8) for _ in range(4))
    a = F.normalize(a, dim=-1)
    lw, b = -math.exp(-0.5) * torch.rand(2, 64, 2, 8), -a * torch.rand(2, 64, 2, 8)
    state, answers = torch.zeros(2, 2, 8, 8), []
    for t in range(64):
        removed = state @ a[:, t, :, :, None]
        state = state * lw[:, t, :, None].exp() + removed @ b[:, t, :, None] + v[:, t, :, :, None] @ k[:, t, :, None]
        answers.append((state @ r[:, t, :, :, None])[..., 0])
    print("wkv7", (torch.stack(answers, 1).reshape(2, 64, 16) - wkv7(r, lw, k, v, a, b)).abs().max().item())
    w, u, k, v = -torch.rand(8), torch.randn(8), torch.randn(2, 64, 8), torch.randn(2, 64, 8)
    above = below = torch.zeros(2, 8)
    worst = 0.0
    answers = wkv4(w, u, k, v)
    for t in range(64):
        e, bonus = k[:, t].exp(), (u + k[:, t]).exp()
        worst = max(worst, ((above + bonus * v[:, t]) / (below + bonus) - answers[:, t]).abs().max().item())
        above, below = w.exp() * above + e * v[:, t], w.exp() * below + e
    print("wkv4", worst)


def main():
    runner = Runner()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": getattr(runner, asked["request"])(**asked["parameters"])}
        except Exception as error:
            answer = {"error": {"message": str(error)}}
        print(json.dumps(answer), flush=True)


check() if sys.argv[1:] == ["check"] else main()
