"""Measures a float16 checkpoint and writes the facts that ship beside it.

    python tools/story-model/evaluate.py --work /tmp/story [--model FILE] [--facts packages/model-stories/model.json]

Bits per byte are of the whole held-out corpus. The other figures are the share of answers all of whose characters are the
model's first choice, given the text before them: results of sums (in held-out sheets, and asked alone as "27 + 15 ="),
final counts, places of hidden things, names in the last sentences, toys and wishes: of the first 1,500 held-out documents.
"""

import argparse
import hashlib
import json
import re
from pathlib import Path

import numpy
import torch

from model import Generator, Parameters, logits, padded, size_of
from train import document_bits

ANSWERS = {
    "sums in a sheet": r"[+-] \d+ = (\d+[\n\0])",
    "final counts": r"(?:Now \w+ has|have now\? \w+ has|counted them:|Together they have|into a \w+:) (\d+) ",
    "counts said twice": r"How many does \w+ have\? \w+ has (\d+)\.",
    "places of hidden things": r"(?:Where is the \w+\?|And the \w+\?) It is in the (\w+)\.",
    "toys": r"(?:Thank you for the|I lost my|Help me find my) (\w+),",
    "wishes": r"(?:[cC]ould|I can) (\w+)(?:!|\.| \w+ly\.)",
    "animals": r"(?:said the|and the) (\w+)(?:\.| were| \w+ around)",
    "names": r"(?:\"Thank you(?: for the \w+)?,|\"Look,|From that day on, \w+ and) (\w+)(?:!|,| were)",
}


def load(path: Path) -> Parameters:
    return {name: value.float() for name, value in torch.load(path, weights_only=True).items()}


@torch.no_grad()
def answers(p: Parameters, documents: list[bytes], batch: int = 64) -> dict[str, float]:
    right, seen = dict.fromkeys(ANSWERS, 0), dict.fromkeys(ANSWERS, 0)
    for at in range(0, len(documents), batch):
        part = documents[at : at + batch]
        rows = torch.zeros(len(part), padded(max(map(len, part))), dtype=torch.long)
        for row, text in zip(rows, part):
            row[: len(text)] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
        hit = logits(p, rows)[:, :-1].argmax(-1) == rows[:, 1:]
        for row, text in zip(hit, part):
            for kind, pattern in ANSWERS.items():
                for match in re.finditer(pattern.encode(), text):
                    seen[kind] += 1
                    right[kind] += bool(row[match.start(1) - 1 : match.end(1) - 1].all())
    return {kind: round(right[kind] / max(1, seen[kind]), 4) for kind in ANSWERS}


@torch.no_grad()
def sums_alone(p: Parameters, count: int = 500, seed: int = 5) -> float:
    """Greedy continuations of "a + b =" from the zero state."""
    random = numpy.random.default_rng(seed)
    pairs = [(int(a), int(b)) for a, b in random.integers(0, 100, (count, 2))]
    right = 0
    for prompt_length in {len(f"{a} + {b} =") for a, b in pairs}:
        group = [(a, b) for a, b in pairs if len(f"{a} + {b} =") == prompt_length]
        prompts = torch.tensor([list(f"{a} + {b} =".encode()) for a, b in group])
        generator = Generator(p, len(group))
        for column in prompts.T:
            out = generator.step(column)
        texts = [bytearray() for _ in group]
        for _ in range(5):
            token = out.argmax(-1)
            for text, byte in zip(texts, token.tolist()):
                text.append(byte)
            out = generator.step(token)
        right += sum(re.match(rb" (\d+)[\n\0]", text + b"\0") is not None and int(re.match(rb" (\d+)", text)[1]) == a + b for text, (a, b) in zip(texts, group))
    return round(right / count, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="default: WORK/stories.pth")
    parser.add_argument("--facts", type=Path, help="where the facts go as JSON; default: only printed")
    parser.add_argument("--quick", action="store_true", help="a tenth of the held-out corpus")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    path = options.model or options.work / "stories.pth"
    p = load(path)
    size = size_of(p)
    corpus = {name: json.loads((options.work / f"{name}.json").read_text()) for name in ("train", "heldout")}
    data = numpy.fromfile(options.work / "heldout.bin", dtype=numpy.uint8)
    if options.quick:
        data = data[: int(numpy.flatnonzero(data[: len(data) // 10] == 0)[-1]) + 1]
    documents = [text + b"\0" for text in data.tobytes().split(b"\0")[:-1]]
    costs = document_bits(p, data)
    bits = float(costs.sum()) / len(data)
    entropy = corpus["heldout"]["bitsPerByte"]
    by_kind = {}
    for kind in ("stories", "sums"):
        share = corpus["heldout"][kind]
        mine = [(cost, len(text)) for cost, text in zip(costs, documents) if (b" = " in text) == (kind == "sums")]
        spent = sum(cost for cost, _ in mine) / sum(length for _, length in mine)
        by_kind[kind] = {"entropy": round(share["bits"] / share["bytes"], 5), "heldOut": round(spent, 5)}
    done = torch.load(options.work / "checkpoint.pt", weights_only=True)["done"]
    facts = {
        "architecture": "rwkv7",
        "dtype": "float16",
        "parameters": sum(value.numel() for value in p.values()),
        "vocabulary": size.vocabulary,
        "layers": size.layers,
        "width": size.channels,
        "headSize": size.head_size,
        "ffn": size.ffn,
        "loraRanks": {"w": size.decay_rank, "a": size.rate_rank, "v": size.value_rank, "g": size.gate_rank},
        "tokenizer": "bytes: token id = byte, 0 ends a document",
        "trainingBytes": done["bytes"],
        "trainingSteps": done["steps"],
        "trainingMinutes": round(done["seconds"] / 60, 1),
        "trainingCorpus": {key: corpus["train"][key] for key in ("seed", "documents", "bytes")},
        "heldOutCorpus": {key: corpus["heldout"][key] for key in ("seed", "documents", "bytes")},
        "entropyBitsPerByte": round(entropy, 5),
        "heldOutBitsPerByte": round(bits, 5),
        "ratio": round(bits / entropy, 4),
        "bitsPerByteByKind": by_kind,
        "firstChoiceRight": answers(p, documents[:1500]) | {"sums alone": sums_alone(p)},
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    text = json.dumps(facts, indent=2)
    print(text)
    if options.facts:
        options.facts.write_text(text + "\n")


if __name__ == "__main__":
    main()
