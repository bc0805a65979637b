"""Trains the byte-level RWKV-7 that ships in packages/model-stories.

    node tools/story-model/corpus.ts --bytes 40000000 --seed 1 --out /tmp/story/train.bin --json > /tmp/story/train.json
    node tools/story-model/corpus.ts --bytes 1000000  --seed 2 --out /tmp/story/heldout.bin --json > /tmp/story/heldout.json
    python tools/story-model/train.py --minutes 75 --work /tmp/story
    python tools/story-model/train.py --minutes 20 --work /tmp/story --resume

A byte is a token; byte 0 ends a document. Windows start from the zero state: half of them at the start of a document, the
others anywhere. The learning rate follows the clock: it has warmed up after a few steps and follows a cosine down to
--final-lr at the end of the time budget. The state of the training is written to WORK/checkpoint.pt, the model as
float16 with the official names to WORK/stories.pth, both through a rename, so that an interruption leaves the last ones whole.
"""

import argparse
import json
import math
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

from model import Parameters, Size, initial, logits

LONG_WINDOW = 512


@dataclass
class Corpus:
    data: numpy.ndarray
    starts: numpy.ndarray

    @staticmethod
    def load(path: Path) -> "Corpus":
        data = numpy.fromfile(path, dtype=numpy.uint8)
        return Corpus(data, numpy.concatenate([[0], numpy.flatnonzero(data == 0)[:-1] + 1]))

    def windows(self, random: numpy.random.Generator, batch: int, length: int) -> torch.Tensor:
        """(batch, length + 1) tokens; the first half begin with a document."""
        last = len(self.data) - length - 1
        anywhere = random.integers(0, last, batch)
        documents = self.starts[: numpy.searchsorted(self.starts, last)]
        begin = numpy.where(numpy.arange(batch) < batch // 2, documents[random.integers(0, len(documents), batch)], anywhere)
        return torch.from_numpy(numpy.stack([self.data[b : b + length + 1] for b in begin]).astype(numpy.int64))


def loss_of(p: Parameters, tokens: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits(p, tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())


@torch.no_grad()
def held_out_bits(p: Parameters, data: numpy.ndarray, limit: int | None = None, row: int = 4096, batch: int = 16) -> float:
    """Bits per byte of whole documents, every byte counted: rows of up to `row` bytes, each from the zero state after a byte 0."""
    documents = data[: int(numpy.flatnonzero(data[:limit] == 0)[-1]) + 1]
    ends = numpy.flatnonzero(documents == 0) + 1
    rows, begin = [], 0
    while begin < len(documents):
        end = int(ends[ends <= begin + row][-1])
        rows.append(torch.from_numpy(documents[begin:end].astype(numpy.int64)))
        begin = end
    total = 0.0
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        targets = torch.full((len(part), row), -100)
        for target, tokens in zip(targets, part):
            target[: len(tokens)] = tokens
        out = logits(p, F.pad(targets[:, :-1].clamp_min(0), (1, 0)))
        total += F.cross_entropy(out.flatten(0, 1), targets.flatten(), reduction="sum").item()
    return total / math.log(2) / len(documents)


def optimiser(p: Parameters, rate: float, decay: float) -> torch.optim.AdamW:
    """Weight decay on the matrices named .weight alone; w0 learns twice as fast."""
    matrices = [v for n, v in p.items() if n.endswith(".weight") and v.dim() >= 2]
    speeds = [v for n, v in p.items() if n.endswith("att.w0")]
    rest = [v for n, v in p.items() if not (n.endswith(".weight") and v.dim() >= 2) and not n.endswith("att.w0")]
    groups = [
        {"params": matrices, "weight_decay": decay, "scale": 1.0},
        {"params": speeds, "weight_decay": 0.0, "scale": 2.0},
        {"params": rest, "weight_decay": 0.0, "scale": 1.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), eps=1e-18, fused=True)


def save_atomically(value: object, path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(value, partial)
    os.replace(partial, path)


def rounded(p: Parameters) -> Parameters:
    """The parameters as they are in the file: float16, back in float32."""
    return {name: value.detach().half().float() for name, value in p.items()}


def train(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    torch._dynamo.config.recompile_limit = 64
    work: Path = options.work
    corpus = Corpus.load(work / "train.bin")
    held_out = numpy.fromfile(work / "heldout.bin", dtype=numpy.uint8)
    entropy = json.loads((work / "heldout.json").read_text())["bitsPerByte"]
    size = Size(layers=options.layers, channels=options.channels, ffn=4 * options.channels, head_size=options.head_size)
    p = initial(size, options.seed)
    done = {"steps": 0, "bytes": 0, "seconds": 0.0}
    saved = torch.load(work / "checkpoint.pt", weights_only=True) if options.resume else None
    if saved is not None:
        p, done = saved["parameters"], saved["done"]
    p = {name: value.requires_grad_() for name, value in p.items()}
    optimise = optimiser(p, options.lr, options.weight_decay)
    if saved is not None:
        optimise.load_state_dict(saved["optimiser"])
    step_loss = torch.compile(loss_of, dynamic=False) if options.compile else loss_of
    random = numpy.random.default_rng([options.seed, done["steps"]])
    budget = options.minutes * 60
    print(f"{sum(v.numel() for v in p.values())} parameters, {len(corpus.data)} bytes, entropy {entropy:.4f} bits per byte", flush=True)

    stop = False

    def ask_to_stop(*_: object) -> None:
        nonlocal stop
        if stop:
            raise KeyboardInterrupt
        stop = True
        print("finishing this step, then saving (again: at once)", flush=True)

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)

    def keep() -> None:
        parameters = {name: value.detach() for name, value in p.items()}
        save_atomically({"parameters": parameters, "optimiser": optimise.state_dict(), "done": done, "size": size.facts()}, work / "checkpoint.pt")
        save_atomically({name: value.half() for name, value in parameters.items()}, work / "stories.pth")

    def log(line: dict[str, float]) -> None:
        with open(work / "log.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        print("  ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in line.items()), flush=True)

    began = last_saved = last_logged = time.monotonic()
    before, losses, bytes_logged, local_steps = done["seconds"], [], done["bytes"], 0
    while not stop:
        spent = time.monotonic() - began
        progress = min(1.0, spent / budget)
        if progress >= 1:
            break
        warm = min(1.0, (local_steps + 1) / options.warmup)
        rate = warm * (options.final_lr + (options.lr - options.final_lr) * (1 + math.cos(math.pi * progress)) / 2)
        for group in optimise.param_groups:
            group["lr"] = rate * group["scale"]
        long = progress > 1 - options.long_part
        length = LONG_WINDOW if long else options.window
        tokens = corpus.windows(random, options.batch * options.window // length, length)
        loss = step_loss(p, tokens)
        optimise.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        optimise.step()
        losses.append(loss.item())
        local_steps += 1
        done["steps"] += 1
        done["bytes"] += tokens[:, 1:].numel()
        done["seconds"] = before + time.monotonic() - began
        now = time.monotonic()
        if now - last_logged > options.log_seconds:
            speed = (done["bytes"] - bytes_logged) / (now - last_logged)
            log({"minutes": done["seconds"] / 60, "steps": done["steps"], "bytes": done["bytes"], "train": sum(losses) / len(losses) / math.log(2), "lr": rate, "tokens/s": round(speed)})
            losses, bytes_logged, last_logged = [], done["bytes"], now
        if now - last_saved > options.save_seconds:
            keep()
            bits = held_out_bits(rounded(p), held_out, 131072)
            log({"minutes": done["seconds"] / 60, "steps": done["steps"], "held-out": bits, "ratio": bits / entropy})
            last_saved = last_logged = time.monotonic()
            bytes_logged = done["bytes"]
    keep()
    bits = held_out_bits(rounded(p), held_out)
    log({"minutes": done["seconds"] / 60, "steps": done["steps"], "bytes": done["bytes"], "held-out (all)": bits, "ratio": bits / entropy})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder with train.bin, heldout.bin and heldout.json; results go there")
    parser.add_argument("--minutes", type=float, default=75, help="time budget of this run")
    parser.add_argument("--resume", action="store_true", help="go on from WORK/checkpoint.pt, with a schedule of its own")
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--head-size", type=int, default=64, help="32 or 64")
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16, help="windows in a step")
    parser.add_argument("--long-part", type=float, default=0.15, help=f"last part of the time, with windows of {LONG_WINDOW}")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--final-lr", type=float, default=3e-5)
    parser.add_argument("--warmup", type=int, default=50, help="steps")
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-seconds", type=float, default=300, help="between checkpoints, each with a short evaluation")
    parser.add_argument("--log-seconds", type=float, default=20)
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="do without torch.compile")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
