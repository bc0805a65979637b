"""Writes seeded samples of a checkpoint and proves that none of them stands in the training corpus.

    python tools/story-model/sample.py --work /tmp/story --out tools/story-model/samples.md
    python tools/story-model/sample.py --work /tmp/story --prompt "27 + 15 =" --temperature 0

A sample begins after a byte 0 and ends with the next one. With --out, sheets of sums count as samples too, as they come.
"""

import argparse
from pathlib import Path

import torch

from evaluate import load
from model import Generator, Parameters


@torch.no_grad()
def complete(p: Parameters, prompt: bytes, count: int, temperature: float, top_p: float, seed: int, limit: int) -> list[bytes]:
    """`count` continuations of the prompt, side by side, each up to its byte 0. An empty prompt is a byte 0."""
    random = torch.Generator().manual_seed(seed)
    generator = Generator(p, count)
    for byte in prompt or b"\0":
        out = generator.step(torch.full((count,), byte))
    texts = [bytearray(prompt) for _ in range(count)]
    open_rows = set(range(count))
    for _ in range(limit):
        if temperature == 0:
            tokens = out.argmax(-1)
        else:
            chances, order = out.softmax(-1).sort(-1, descending=True)
            chances = chances.masked_fill(chances.cumsum(-1) - chances >= top_p, 0) ** (1 / temperature)
            tokens = order.gather(-1, torch.multinomial(chances, 1, generator=random))[:, 0]
        for row in list(open_rows):
            byte = int(tokens[row])
            if byte == 0:
                open_rows.discard(row)
            else:
                texts[row].append(byte)
        if not open_rows:
            break
        out = generator.step(tokens)
    return [bytes(text) for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder with stories.pth and train.bin")
    parser.add_argument("--model", type=Path, help="default: WORK/stories.pth")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=2000, help="bytes at most")
    parser.add_argument("--out", type=Path, help="Markdown file for the samples; fails if one of them is in train.bin")
    options = parser.parse_args()
    torch.set_num_threads(2)
    p = load(options.model or options.work / "stories.pth")
    texts = complete(p, options.prompt.encode(), options.count, options.temperature, options.top_p, options.seed, options.limit)
    if options.out is None:
        print("\n\n".join(text.decode("ascii", "backslashreplace") for text in texts))
        return
    known = set((options.work / "train.bin").read_bytes().split(b"\0"))
    copied = [text for text in texts if text in known]
    if copied:
        raise SystemExit(f"{len(copied)} of {len(texts)} samples are in the training corpus, the first: {copied[0].decode()}")
    lines = [
        "# Samples",
        "",
        f"{len(texts)} documents by the model in `packages/model-stories`, none picked, none mended: seed {options.seed}, temperature {options.temperature:g},",
        f"top-p {options.top_p:g}, each begun from a byte 0. `sample.py` found none of them among the {len(known) - 1} documents of the training corpus.",
    ]
    for number, text in enumerate(texts, 1):
        lines += ["", f"## {number}", "", *(f"> {line}  " if b"\n" in text else f"> {line}" for line in text.decode("ascii").split("\n"))]
    options.out.write_text("\n".join(line.rstrip() if not line.endswith("  ") else line for line in lines) + "\n")
    print(f"{len(texts)} samples in {options.out}, none of them in the training corpus")


if __name__ == "__main__":
    main()
