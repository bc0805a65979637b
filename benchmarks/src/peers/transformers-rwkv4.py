"""Hugging Face's transformers, on PyTorch: of RWKV it has version 4."""

import re

import torch
from peer import Peer, serve
from safetensors.torch import load_file
from transformers import RwkvConfig, RwkvForCausalLM

NAMES = [
    (r"^emb\.", "embeddings."),
    (r"\.ln0\.", ".pre_ln."),
    (r"\.att\.", ".attention."),
    (r"\.ffn\.", ".feed_forward."),
    (r"\.time_mix_k$", ".time_mix_key"),
    (r"\.time_mix_v$", ".time_mix_value"),
    (r"\.time_mix_r$", ".time_mix_receptance"),
]


def renamed(name):
    for pattern, text in NAMES:
        name = re.sub(pattern, text, name)
    return name if name.startswith("head.") else f"rwkv.{name}"


class Transformers(Peer):
    def load(self, model, threads, sequences):
        torch.set_num_threads(threads)
        tensors = load_file(model)
        if "blocks.0.att.time_first" not in tensors or "blocks.0.att.ln_x.weight" in tensors:
            raise RuntimeError("transformers has version 4 of RWKV alone")
        self.vocabulary, width = tensors["emb.weight"].shape
        layers = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        inner = tensors["blocks.0.ffn.key.weight"].shape[0]
        sizes = {"vocab_size": self.vocabulary, "hidden_size": width, "num_hidden_layers": layers, "intermediate_size": inner}
        self.model = RwkvForCausalLM(RwkvConfig(**sizes, rescale_every=0)).to(tensors["head.weight"].dtype).eval()
        # Mixes are [C] in some files, [1,1,C] here.
        shapes = self.model.state_dict()
        weights = {renamed(name): tensor for name, tensor in tensors.items()}
        self.model.load_state_dict({name: tensor.reshape(shapes[name].shape) for name, tensor in weights.items()})
        self.forget()
        return {"adapter": f"PyTorch {torch.__version__}, {self.model.dtype}"}

    def forget(self):
        self.state = None

    def read(self, tokens):
        return self._step([tokens])[0]

    def read_together(self, tokens, step):
        if step == 0:
            self.forget()
        return self._step([[token] for token in tokens]).argmax(-1).tolist()

    @torch.no_grad()
    def _step(self, rows):
        made = self.model(torch.tensor(rows), state=self.state, use_cache=True)
        self.state = made.state
        return made.logits[:, -1]


serve(Transformers())
