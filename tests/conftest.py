"""What all tests share: one thread per library, no display, a calm Hypothesis, GPU tests that skip without one."""

from __future__ import annotations

import os
import tempfile

# Before torch or numpy is imported anywhere: two test processes on two cores must not start four threads each.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests neither find trajectories that their user trained nor leave any behind.
_STORE = tempfile.TemporaryDirectory(prefix="bitclock-store-")
os.environ["BITCLOCK_STORE"] = _STORE.name

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# A loaded two-core machine is slow at times: that is no failure. HYPOTHESIS_PROFILE=thorough searches longer.
settings.register_profile("bitclock", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("thorough", parent=settings.get_profile("bitclock"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bitclock"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked `gpu` where there is none; torch is imported only when such a test was collected."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason="needs a CUDA device")
        for item in marked:
            item.add_marker(skip)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--searchpath", default=None, help="run the contract tests on the algorithms of pkg://package or file://folder"
    )
