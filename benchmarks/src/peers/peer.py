"""Answers the requests of src/runner/protocol.ts over another program, one line of JSON each."""

import json
import os
import resource
import sys
import time


class Peer:
    """A program: `load` opens a file, `forget` begins a text anew, `read` appends tokens and gives the logits after the last."""

    vocabulary = 0
    token = 1

    def load(self, model, threads, sequences):
        """What the report tells of it: adapter, heldBytes."""
        raise NotImplementedError

    def forget(self):
        raise NotImplementedError

    def read(self, tokens):
        raise NotImplementedError

    def read_together(self, tokens, step):
        """One token of each of several texts; the likeliest next of each. Step 0 begins them."""
        raise NotImplementedError

    def open(self, model, threads, maxSequences=1, **_):
        began = time.perf_counter()
        facts = self.load(model, threads, maxSequences)
        spent = 1000 * (time.perf_counter() - began)
        return {"architecture": "", "threads": threads, "loadMs": spent, "vocabularySize": self.vocabulary, **facts}

    def prefill(self, tokens):
        self.forget()
        began = time.perf_counter()
        self.read(self._prompt(tokens))
        return 1000 * (time.perf_counter() - began)

    def decode(self, tokens, **_):
        times = []
        began = time.perf_counter()
        for _ in range(tokens):
            self.token = int(self.read([self.token]).argmax())
            times.append(1000 * (time.perf_counter() - began))
        return times

    def batch(self, sequences, tokens):
        current = self._prompt(sequences)
        began = time.perf_counter()
        for step in range(tokens):
            current = self.read_together(current, step)
        spent = 1000 * (time.perf_counter() - began)
        self.forget()
        return spent

    def advance(self, tokens):
        began = time.perf_counter()
        self.read(self._prompt(tokens))
        return 1000 * (time.perf_counter() - began)

    def firstToken(self, tokens):
        self.forget()
        began = time.perf_counter()
        int(self.read(self._prompt(tokens)).argmax())
        return 1000 * (time.perf_counter() - began)

    def memory(self):
        return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def _prompt(self, tokens):
        return [1 + (i * 7919) % (self.vocabulary - 1) for i in range(tokens)]


def serve(peer):
    # What the program prints is not an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": getattr(peer, asked["request"])(**asked["parameters"])}
        except Exception as error:
            answer = {"error": {"message": f"{type(error).__name__}: {error}"}}
        print(json.dumps(answer), file=answers, flush=True)
