"""The official package `rwkv`, on PyTorch."""

import os

import torch
from peer import Peer, serve
from safetensors import safe_open
from safetensors.torch import load_file

STRATEGIES = {torch.float32: "cpu fp32", torch.float16: "cpu fp16", torch.bfloat16: "cpu bf16"}


class Rwkv(Peer):
    def load(self, model, threads, sequences):
        torch.set_num_threads(threads)
        with safe_open(model, "pt") as file:
            is7 = "blocks.0.att.r_k" in file.keys()
            strategy = STRATEGIES[file.get_tensor("head.weight").dtype]
        # The package reads these when it is imported, and takes .pth alone.
        os.environ["RWKV_V7_ON"] = "1" if is7 else "0"
        from rwkv.model import RWKV

        kept = torch.load
        torch.load = lambda *_, **__: load_file(model)
        try:
            self.model = RWKV(model=model, strategy=strategy)
        finally:
            torch.load = kept
        self.vocabulary = self.model.args.vocab_size if is7 else self.model.w["head.weight"].shape[-1]
        self.forget()
        return {"adapter": f"PyTorch {torch.__version__}, {strategy}"}

    def forget(self):
        self.state = None

    def read(self, tokens):
        logits, self.state = self.model.forward(tokens, self.state)
        return logits

    def read_together(self, tokens, step):
        """One after the other: the package has no batches."""
        if step == 0:
            self.states = [None] * len(tokens)
        made = []
        for i, token in enumerate(tokens):
            logits, self.states[i] = self.model.forward([token], self.states[i])
            made.append(int(logits.argmax()))
        return made


serve(Rwkv())
