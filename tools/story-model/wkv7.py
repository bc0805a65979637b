"""WKV-7 as a differentiable function: a C++ kernel for training, and the plain loop that checks it."""

import ctypes
import hashlib
import subprocess
import tempfile
from pathlib import Path

import torch

CHUNK = 16
SOURCE = Path(__file__).with_name("wkv7.cpp")


def build() -> ctypes.CDLL:
    """Compiles wkv7.cpp once per version of its text, into the system's temporary folder."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"story-model-wkv7-{digest}.so"
    if not library.exists():
        partial = library.with_suffix(".partial")
        flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC", "-std=c++17", "-Wno-psabi"]
        subprocess.run(["g++", *flags, "-o", str(partial), str(SOURCE)], check=True)
        partial.rename(library)
    return ctypes.CDLL(str(library))


_library: ctypes.CDLL | None = None


def _call(direction: str, tensors: list[torch.Tensor]) -> None:
    global _library
    if _library is None:
        _library = build()
    first = tensors[0]
    batch, length, heads, size = first.shape
    kind = {torch.float32: "f32", torch.float64: "f64"}[first.dtype]
    function = getattr(_library, f"wkv7_{direction}_{kind}_{size}")
    function(*map(ctypes.c_int64, (batch, length, heads)), *(ctypes.c_void_p(t.data_ptr()) for t in tensors))


# Registered as operators, so that torch.compile sees one graph with the kernel as a node of it.
@torch.library.custom_op("story::wkv7_forward", mutates_args=())
def _forward(inputs: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    batch, length, heads, size = inputs[0].shape
    if length % CHUNK:
        raise ValueError(f"T = {length} is not a multiple of {CHUNK}")
    inputs = [t.contiguous() for t in inputs]
    y, sa = torch.empty_like(inputs[0]), torch.empty_like(inputs[0])
    checkpoints = inputs[0].new_empty(batch, heads, length // CHUNK, size, size)
    _call("forward", [*inputs, y, sa, checkpoints])
    return y, sa, checkpoints


@_forward.register_fake
def _(inputs):
    r = inputs[0]
    batch, length, heads, size = r.shape
    return r.new_empty(r.shape), r.new_empty(r.shape), r.new_empty(batch, heads, length // CHUNK, size, size)


@torch.library.custom_op("story::wkv7_backward", mutates_args=())
def _backward(inputs: list[torch.Tensor], sa: torch.Tensor, checkpoints: torch.Tensor, dy: torch.Tensor) -> list[torch.Tensor]:
    inputs = [t.contiguous() for t in inputs]
    gradients = [torch.empty_like(sa) for _ in range(6)]
    _call("backward", [*inputs, sa, checkpoints, dy.contiguous(), *gradients])
    return gradients


@_backward.register_fake
def _(inputs, sa, checkpoints, dy):
    return [sa.new_empty(sa.shape) for _ in range(6)]


def _keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs[0], output[1], output[2])


def _gradients(ctx, dy, *_unused):
    *inputs, sa, checkpoints = ctx.saved_tensors
    return _backward(inputs, sa, checkpoints, dy)


_forward.register_autograd(_gradients, setup_context=_keep)


def wkv7(r, w, k, v, a, b):
    """Each (B, T, H, N), T a multiple of 16, w the decay in (0, 1): y of the same shape; the state starts at zero."""
    return _forward([r, w, k, v, a, b])[0]


def wkv7_loop(r, w, k, v, a, b):
    """The same by the formula, token after token: slow, any T, the checker of the kernel."""
    batch, length, heads, size = r.shape
    state = r.new_zeros(batch, heads, size, size)
    out = []
    for t in range(length):
        sa = state @ a[:, t, :, :, None]
        state = state * w[:, t, :, None, :] + sa @ b[:, t, :, None, :] + v[:, t, :, :, None] @ k[:, t, :, None, :]
        out.append((state @ r[:, t, :, :, None])[..., 0])
    return torch.stack(out, 1)
