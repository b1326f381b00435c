"""PyTorch adapters. This file and those of the models stay light; networks.py and training.py are heavy."""

from __future__ import annotations

from benchmark.protocol import FitContext


def open_device(context: FitContext) -> None:
    """Make the device ready before the clock starts: threads of the slot, the CUDA context."""
    import torch

    torch.set_num_threads(context.threads)
    if context.device == "cuda":
        torch.ones((2, 2), device="cuda").cholesky_inverse()  # loads the linear algebra libraries too
        torch.cuda.synchronize()
