"""What llama.cpp makes of .gguf files: the other side of compare.ts.

Reads jobs from stdin, one JSON object on a line, and answers each by one on stdout:

    {"quantize": FILE, "type": "q8_0", "out": FILE}     by llama.cpp's own quantiser, every matrix in that type
    {"logits": FILE, "tokens": [ids], "out": FILE}      [tokens, vocabulary] as raw f32
    {"tokenize": FILE, "texts": [base64]}               answers {"tokens": [[ids], …]}
"""

import base64
import ctypes
import json
import sys

import llama_cpp
import numpy as np
from llama_cpp import Llama


@llama_cpp.llama_log_callback
def silent(level, text, user):
    pass


def quantize(job):
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{job['type'].upper()}")
    parameters.pure = True
    status = llama_cpp.llama_model_quantize(job["quantize"].encode(), job["out"].encode(), ctypes.byref(parameters))
    if status != 0:
        raise RuntimeError(f"llama.cpp could not quantise {job['quantize']}: status {status}")
    return {}


def logits(job):
    tokens = job["tokens"]
    model = Llama(job["logits"], n_ctx=len(tokens), n_batch=len(tokens), n_ubatch=len(tokens), logits_all=True, verbose=False)
    model.eval(tokens)
    np.ascontiguousarray(model.scores[: len(tokens)], dtype="<f4").tofile(job["out"])
    return {}


def tokenize(job):
    model = Llama(job["tokenize"], vocab_only=True, verbose=False)
    texts = [base64.b64decode(text) for text in job["texts"]]
    return {"tokens": [model.tokenize(text, add_bos=False) for text in texts]}


JOBS = {"quantize": quantize, "logits": logits, "tokenize": tokenize}

llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
for line in sys.stdin:
    job = json.loads(line)
    done = next(run(job) for name, run in JOBS.items() if name in job)
    print(json.dumps(done), flush=True)
