"""llama.cpp, by llama-cpp-python."""

import ctypes
import sys

import llama_cpp as lib
import numpy as np
from peer import Peer, serve

BATCH = 512


class LlamaCpp(Peer):
    def load(self, model, threads, sequences):
        options = lib.llama_model_default_params()
        options.n_gpu_layers = 0
        self.model = lib.llama_model_load_from_file(model.encode(), options)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {model}")
        context = lib.llama_context_default_params()
        context.n_ctx = 0
        context.n_batch = context.n_ubatch = BATCH
        context.n_seq_max = sequences
        context.n_threads = context.n_threads_batch = threads
        self.context = lib.llama_init_from_model(self.model, context)
        if not self.context:
            raise RuntimeError("llama.cpp cannot make a context")
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        about = lib.llama_print_system_info().decode().split(" : ", 1)[-1]
        features = [part.split("=")[0].strip() for part in about.split("|") if part.strip().endswith("= 1")]
        return {"adapter": f"native, {' '.join(features)}", "heldBytes": lib.llama_model_size(self.model)}

    def forget(self):
        lib.llama_memory_clear(lib.llama_get_memory(self.context), True)

    def read(self, tokens):
        for at in range(0, len(tokens), BATCH):
            part = tokens[at : at + BATCH]
            array = (lib.llama_token * len(part))(*part)
            self._decode(lib.llama_batch_get_one(array, len(part)))
        return self._logits(-1)

    def read_together(self, tokens, step):
        if step == 0:
            self.forget()
        batch = lib.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = step
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = i
            batch.logits[i] = 1
        self._decode(batch)
        lib.llama_batch_free(batch)
        return [int(self._logits(i).argmax()) for i in range(len(tokens))]

    def _decode(self, batch):
        if lib.llama_decode(self.context, batch) != 0:
            raise RuntimeError("llama_decode failed")

    def _logits(self, row):
        logits = lib.llama_get_logits_ith(self.context, row)
        return np.ctypeslib.as_array(logits, shape=(self.vocabulary,)).copy()


@lib.llama_log_callback
def quiet(level, text, _):
    if level >= 4:  # errors
        sys.stderr.write(text.decode(errors="replace"))


lib.llama_log_set(quiet, ctypes.c_void_p(0))
serve(LlamaCpp())
