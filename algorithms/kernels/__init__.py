"""Loops over memory that PyTorch and NumPy have no single operation for, compiled where Numba is installed.

Each kernel has a reference made of their operations, which gives the same bits and is what runs elsewhere: without
Numba, where a kernel does not compile, and on a GPU.
"""

from algorithms.kernels.compiled import MODES, Kernel, fallbacks, jit, kernel, use

__all__ = ["MODES", "Kernel", "fallbacks", "jit", "kernel", "use"]
