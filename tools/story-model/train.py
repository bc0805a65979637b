"""Trains the byte-level RWKV-7 that ships in packages/model-stories.

    node tools/story-model/corpus.ts --bytes 40000000 --seed 1 --out /tmp/story/train.bin --json > /tmp/story/train.json
    node tools/story-model/corpus.ts --bytes 1000000  --seed 2 --out /tmp/story/heldout.bin --json > /tmp/story/heldout.json
    python tools/story-model/train.py --minutes 75 --work /tmp/story
    python tools/story-model/train.py --minutes 40 --work /tmp/story --resume --window 512 --batch 8

A byte is a token; byte 0 ends a document. Windows start from the zero state: half of them at the start of a document, the
others anywhere. The learning rate follows the clock: it has warmed up after a few steps and follows a cosine down to
--final-lr at the end of the time budget. The state of the training is written to WORK/checkpoint.pt, the model as
float16 with the official names to WORK/stories.pth, both through a rename, so that an interruption leaves the last ones whole.
"""

import argparse
import json
import math
import os
import re
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
import torch.distributed
import torch.multiprocessing
from torch.nn import functional as F

from model import Parameters, Size, initial, logits


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


def loss_of(p: Parameters, tokens: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    losses = F.cross_entropy(logits(p, tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum()


def recall_weights(tokens: torch.Tensor, weight: float) -> torch.Tensor:
    """What each next byte counts: `weight` in words the window's document has said before and in numbers of stories, 1 elsewhere.

    Things, animals and places come again a few times in a story only, names in every other sentence: without this,
    recalling them is learned long after recalling names. It skews a little which sentence comes next; end without it.
    """
    weights = torch.ones(tokens.shape)
    if weight == 1:
        return weights[:, 1:]
    for row, text in zip(weights, tokens.to(torch.uint8).numpy()):
        begin = 0
        for document in text.tobytes().split(b"\0"):
            seen = set()
            for word in re.finditer(rb"[a-z]{3,}" if b" = " in document else rb"[a-z]{3,}|[0-9]+", document):
                if word[0] in seen or word[0].isdigit():
                    row[begin + word.start() : begin + word.end()] = weight
                seen.add(word[0])
            begin += len(document) + 1
    return weights[:, 1:].contiguous()


@torch.no_grad()
def document_bits(p: Parameters, data: numpy.ndarray, row: int = 4096, batch: int = 16) -> numpy.ndarray:
    """Bits each document costs, its byte 0 included: rows of whole documents, each row from the zero state after a byte 0."""
    ends = numpy.flatnonzero(data == 0) + 1
    rows, begin = [], 0
    while begin < ends[-1]:
        end = int(ends[ends <= begin + row][-1])
        rows.append(torch.from_numpy(data[begin:end].astype(numpy.int64)))
        begin = end
    bits = []
    for at in range(0, len(rows), batch):
        part = rows[at : at + batch]
        targets = torch.zeros(len(part), row, dtype=torch.long)
        for target, tokens in zip(targets, part):
            target[: len(tokens)] = tokens
        out = logits(p, F.pad(targets[:, :-1], (1, 0)))
        losses = F.cross_entropy(out.flatten(0, 1), targets.flatten(), reduction="none").view(targets.shape)
        bits += [loss[: len(tokens)].double() / math.log(2) for loss, tokens in zip(losses, part)]
    return numpy.add.reduceat(torch.cat(bits).numpy(), numpy.concatenate([[0], ends[:-1]]))


def held_out_bits(p: Parameters, data: numpy.ndarray, limit: int) -> float:
    """Bits per byte of the whole documents among the first `limit` bytes."""
    data = data[: int(numpy.flatnonzero(data[:limit] == 0)[-1]) + 1]
    return float(document_bits(p, data).sum()) / len(data)


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


class Together:
    """Sums gradients over the processes: one meeting a step, where threads inside every operator would meet a thousand times."""

    def __init__(self, rank: int, processes: int, meeting: str):
        self.rank, self.processes = rank, processes
        if processes > 1:
            torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=processes)

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.processes > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def in_turn(self, work) -> None:
        """Rank 0 first, then the others: what it compiled, they find in the cache."""
        if self.rank == 0:
            work()
        self.sum(torch.zeros(1))
        if self.rank != 0:
            work()
        self.sum(torch.zeros(1))


def train(rank: int, options: argparse.Namespace, meeting: str) -> None:
    torch.set_num_threads(options.threads)
    torch._dynamo.config.recompile_limit = 64
    together = Together(rank, options.processes, meeting)
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
    random = numpy.random.default_rng([options.seed, done["steps"], rank])
    per_step = options.batch * options.window
    batch = options.batch // options.processes

    stop = False

    def ask_to_stop(*_: object) -> None:
        nonlocal stop
        if stop:
            raise KeyboardInterrupt
        stop = True
        if rank == 0:
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

    def backward() -> torch.Tensor:
        optimise.zero_grad()
        tokens = corpus.windows(random, batch, options.window)
        loss = step_loss(p, tokens, recall_weights(tokens, options.recall_weight))
        loss.backward()
        return loss.detach()

    if rank == 0:
        print(f"{sum(v.numel() for v in p.values())} parameters, {len(corpus.data)} bytes, entropy {entropy:.4f} bits per byte", flush=True)
    together.in_turn(backward)
    budget = options.minutes * 60
    began = last_saved = last_logged = time.monotonic()
    before, losses, bytes_logged, local_steps = done["seconds"], [], done["bytes"], 0
    while True:
        loss = backward()
        # Rank 0's clock and its wish to stop travel with the gradients, so that all processes agree.
        mine = [loss, stop, (time.monotonic() - began) / budget if rank == 0 else 0.0]
        flat = together.sum(torch.cat([*(v.grad.flatten() for v in p.values()), torch.tensor(mine)]))
        *gradients, tail = flat.split([*(v.numel() for v in p.values()), len(mine)])
        for value, gradient in zip(p.values(), gradients):
            value.grad = gradient.view_as(value) / options.processes
        progress = min(1.0, tail[2].item())
        warm = min(1.0, (local_steps + 1) / options.warmup)
        rate = warm * (options.final_lr + (options.lr - options.final_lr) * (1 + math.cos(math.pi * progress)) / 2)
        for group in optimise.param_groups:
            group["lr"] = rate * group["scale"]
        torch.nn.utils.clip_grad_norm_(p.values(), 1.0)
        optimise.step()
        losses.append(tail[0].item() / options.processes)
        local_steps += 1
        done["steps"] += 1
        done["bytes"] += per_step
        now = time.monotonic()
        done["seconds"] = before + now - began
        if tail[1] > 0 or progress >= 1:
            break
        if rank != 0:
            continue
        if now - last_logged > options.log_seconds:
            speed = (done["bytes"] - bytes_logged) / (now - last_logged)
            log({"minutes": done["seconds"] / 60, "steps": done["steps"], "bytes": done["bytes"], "train": sum(losses) / len(losses) / math.log(2), "lr": rate, "tokens/s": round(speed)})
            losses, bytes_logged, last_logged = [], done["bytes"], now
        if now - last_saved > options.save_seconds:
            keep()
            if options.evaluate:
                bits = held_out_bits(rounded(p), held_out, 131072)
                log({"minutes": done["seconds"] / 60, "steps": done["steps"], "held-out": bits, "ratio": bits / entropy})
            last_saved = last_logged = time.monotonic()
            bytes_logged = done["bytes"]
    if rank == 0:
        keep()
        print(f"stopped after {done['steps']} steps, {done['seconds'] / 60:.1f} minutes; evaluate.py measures the result", flush=True)


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
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--final-lr", type=float, default=3e-5)
    parser.add_argument("--warmup", type=int, default=50, help="steps")
    parser.add_argument("--recall-weight", type=float, default=1, help="more than 1: words said before in a document count so much")
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="a step's windows are shared out among them")
    parser.add_argument("--threads", type=int, default=1, help="threads of each process")
    parser.add_argument("--no-evaluate", dest="evaluate", action="store_false", help="save without measuring")
    parser.add_argument("--save-seconds", type=float, default=300, help="between checkpoints, each with a short evaluation")
    parser.add_argument("--log-seconds", type=float, default=20)
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="do without torch.compile")
    options = parser.parse_args()
    if options.batch % options.processes:
        parser.error("--batch must be a multiple of --processes")
    with tempfile.TemporaryDirectory() as folder:
        arguments = (options, str(Path(folder) / "meeting"))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the processes get it too, and finish by themselves
        torch.multiprocessing.spawn(train, arguments, nprocs=options.processes)


if __name__ == "__main__":
    main()
