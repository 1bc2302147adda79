"""Tables for LaTeX, and figures whose text LaTeX would take for commands."""

from __future__ import annotations

import doctest

from matplotlib.figure import Figure

import figures.latex
from figures import ticks
from figures.__main__ import main
from figures.latex import booktabs, escaped, set_by_latex


def test_the_doctest_holds() -> None:
    assert doctest.testmod(figures.latex).failed == 0


def test_every_special_letter_is_escaped_once() -> None:
    assert escaped("a_b & 5 % #1 {x} $y ~ ^ \\") == (
        r"a\_b \& 5 \% \#1 \{x\} \$y \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )


def test_a_table_has_booktabs_rules(write_run, tmp_path, capsys) -> None:
    write_run("a", algorithm="ef_signsgd")
    assert main(["table", f"runs={tmp_path}/a", "target=0.5", "format=latex", f"out={tmp_path}/out"]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out/table.tex").read_text()
    lines = printed.splitlines()
    assert lines[1] == r"\begin{tabular}{llrrrrr}" and lines[2] == r"\toprule" and lines[-2] == r"\bottomrule"
    assert lines[-3] == r"ef\_signsgd & lan & 1 & 70.00 & 5e-05 & 2 & 1 \\"
    assert r"final accuracy (\%)" in lines[3] and lines[0].startswith("% Means over seeds")
    assert booktabs(("a", "b"), [("1", "2")], "", 1).count(r"\\") == 2


def test_text_and_ticks_of_a_figure_are_escaped() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], [0.0, 0.5])
    axes.set_title("ef_signsgd")
    ticks.percent(axes.yaxis)
    set_by_latex(figure)
    assert axes.get_title() == r"ef\_signsgd"
    assert axes.yaxis.get_major_formatter()(0.5, 0) == r"50 \%"
