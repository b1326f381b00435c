"""The LaTeX table in a real LaTeX: as it is, in a bare article class."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import boards
import pytest

from benchmark.leaderboard import Board
from benchmark.reporting import latex

pytestmark = pytest.mark.slow


@pytest.fixture
def pdflatex() -> str:
    found = shutil.which("pdflatex")
    if found is None and not os.environ.get("CI"):
        pytest.skip("no pdflatex here: run .ci/setup")
    assert found is not None, "no pdflatex: .ci/setup installs it"
    return found


def simple() -> Board:
    return boards.board(boards.table(boards.row("native/ease", 0.3, 1), boards.row("surprise/svd", 0.2, 2)))


@pytest.mark.parametrize("preamble", ["", r"\usepackage{booktabs}"])
@pytest.mark.parametrize("made", [simple, boards.hostile])
def test_latex_table_compiles_in_a_bare_article(
    tmp_path: Path, pdflatex: str, preamble: str, made: object
) -> None:
    assert callable(made)
    (tmp_path / "leaderboard.tex").write_text(latex(made()), encoding="utf-8")
    document = rf"\documentclass{{article}}{preamble}\begin{{document}}\input{{leaderboard}}\end{{document}}"
    (tmp_path / "page.tex").write_text(document, encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert "Overfull" not in done.stdout or made is not simple
