"""Holds exported folders to other programs; reads a JSON list of jobs from stdin, writes a JSON list of findings.

A job: folder; prompt, token ids; standard, whether the reference evaluator of onnx is to run the model too.
A finding: logits of the prompt by ONNX Runtime; reference, those by the evaluator; greedy, the continuation that run.py prints.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator


def read(job, open_model):
    """Logits of the prompt, and the states after it."""
    folder = pathlib.Path(job["folder"])

    def run(name, given):
        inputs, outputs, call = open_model(folder / f"{name}.onnx")
        made = call({key: given[key] for key in inputs})
        return dict(zip(outputs, made))

    started = run("initial", {"S": np.array([1], np.int64)})
    state = {key.removesuffix(".next"): value for key, value in started.items()}
    count = len(job["prompt"])
    tokens = {"tokens": np.array(job["prompt"], np.int32), "rows": np.arange(count, dtype=np.int32)}
    return run("model", {**state, **tokens})["logits"]


def by_runtime(path):
    session = onnxruntime.InferenceSession(str(path))
    inputs = [i.name for i in session.get_inputs()]
    outputs = [o.name for o in session.get_outputs()]
    return inputs, outputs, lambda given: session.run(outputs, given)


def by_reference(path):
    session = ReferenceEvaluator(str(path))
    return session.input_names, session.output_names, lambda given: session.run(None, given)


def check(job):
    folder = pathlib.Path(job["folder"])
    for path in sorted(folder.glob("*.onnx")):
        onnx.checker.check_model(str(path), full_check=True)
    domains = sorted({i.domain for path in folder.glob("*.onnx") for i in onnx.load(path, load_external_data=False).opset_import})
    ids = [str(token) for token in job["prompt"]]
    run = subprocess.run([sys.executable, folder / "run.py", *ids, "--count", "16"], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr)
    finding = {
        "domains": domains,
        "logits": read(job, by_runtime).ravel().tolist(),
        "greedy": [int(token) for token in run.stdout.split()],
    }
    if job["standard"]:
        finding["reference"] = read(job, by_reference).ravel().tolist()
    return finding


def attempt(job):
    try:
        return check(job)
    except Exception as error:  # told to the test, which fails by it
        return {"error": f"{type(error).__name__}: {error}"}


print(json.dumps([attempt(job) for job in json.load(sys.stdin)]))
