"""The command line, called in this process."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable

import pytest
from hydra.core.global_hydra import GlobalHydra

# a run of a second, for commands whose training does not matter
TOY = ["task=quadratic", "task.dimensions=40", "workers=4", "rounds=6", "eval_every=2", "progress=false", "cache=off"]
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``python -m MODULE ARGUMENT ...``; give its exit code, standard output and standard error."""

    def call(module: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [module, *arguments])
        monkeypatch.delitem(sys.modules, module, raising=False)  # as in a fresh interpreter
        GlobalHydra.instance().clear()
        capsys.readouterr()
        code = 0
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=False)
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        out, err = capsys.readouterr()
        return code, out, err

    return call
