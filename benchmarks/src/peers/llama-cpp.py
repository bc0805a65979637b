"""Answers the requests of src/runner/protocol.ts over llama.cpp, one line of JSON each."""

import ctypes
import json
import resource
import sys
import time

import llama_cpp as lib
import numpy as np


class Runner:
    def open(self, model, threads, maxSequences=1, **_):
        began = time.perf_counter()
        options = lib.llama_model_default_params()
        options.n_gpu_layers = 0
        self.model = lib.llama_model_load_from_file(model.encode(), options)
        if not self.model:
            raise RuntimeError(f"llama.cpp cannot load {model}")
        context = lib.llama_context_default_params()
        context.n_ctx = 0
        context.n_batch = context.n_ubatch = 512
        context.n_seq_max = maxSequences
        context.n_threads = context.n_threads_batch = threads
        self.context = lib.llama_init_from_model(self.model, context)
        if not self.context:
            raise RuntimeError("llama.cpp cannot make a context")
        self.vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(self.model))
        self.token = 1
        about = lib.llama_print_system_info().decode().split(" : ", 1)[-1]
        features = [part.split("=")[0].strip() for part in about.split("|") if part.strip().endswith("= 1")]
        return {
            "architecture": "",
            "adapter": f"native, {' '.join(features)}",
            "threads": threads,
            "loadMs": 1000 * (time.perf_counter() - began),
            "heldBytes": lib.llama_model_size(self.model),
            "vocabularySize": self.vocabulary,
        }

    def _forget(self):
        lib.llama_memory_clear(lib.llama_get_memory(self.context), True)

    def _read(self, tokens):
        """One pass over tokens; the logits after the last."""
        array = (lib.llama_token * len(tokens))(*tokens)
        if lib.llama_decode(self.context, lib.llama_batch_get_one(array, len(tokens))) != 0:
            raise RuntimeError("llama_decode failed")
        logits = lib.llama_get_logits_ith(self.context, -1)
        return np.ctypeslib.as_array(logits, shape=(self.vocabulary,))

    def _prompt(self, tokens, first=0):
        return [1 + ((first + i) * 7919) % (self.vocabulary - 1) for i in range(tokens)]

    def _append(self, tokens):
        prompt = self._prompt(tokens)
        for at in range(0, tokens, 512):
            logits = self._read(prompt[at : at + 512])
        return logits

    def prefill(self, tokens):
        self._forget()
        began = time.perf_counter()
        self._append(tokens).copy()
        return 1000 * (time.perf_counter() - began)

    def decode(self, tokens, **_):
        times = []
        began = time.perf_counter()
        for _ in range(tokens):
            self.token = int(self._read([self.token]).argmax())
            times.append(1000 * (time.perf_counter() - began))
        return times

    def batch(self, sequences, tokens):
        self._forget()
        batch = lib.llama_batch_init(sequences, 0, 1)
        batch.n_tokens = sequences
        current = self._prompt(sequences)
        began = time.perf_counter()
        for step in range(tokens):
            for i, token in enumerate(current):
                batch.token[i] = token
                batch.pos[i] = step
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = i
                batch.logits[i] = 1
            if lib.llama_decode(self.context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            for i in range(sequences):
                logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(self.context, i), shape=(self.vocabulary,))
                current[i] = int(logits.argmax())
        spent = 1000 * (time.perf_counter() - began)
        lib.llama_batch_free(batch)
        self._forget()
        return spent

    def advance(self, tokens):
        began = time.perf_counter()
        self._append(tokens)
        return 1000 * (time.perf_counter() - began)

    def firstToken(self, tokens):
        self._forget()
        began = time.perf_counter()
        int(self._append(tokens).argmax())
        return 1000 * (time.perf_counter() - began)

    def memory(self):
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@lib.llama_log_callback
def quiet(level, text, _):
    if level >= 4:  # errors
        sys.stderr.write(text.decode(errors="replace"))


def main():
    lib.llama_log_set(quiet, ctypes.c_void_p(0))
    runner = Runner()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": getattr(runner, asked["request"])(**asked["parameters"])}
        except Exception as error:
            answer = {"error": {"message": str(error)}}
        print(json.dumps(answer), flush=True)


main()
