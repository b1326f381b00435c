"""A board's figures as those of matplotlib."""

from __future__ import annotations

from dataclasses import replace

import boards
import pytest

from benchmark.errors import RunError

BOARD = boards.hostile()


def test_board_plots_each_of_its_figures_and_a_notebook_shows_them() -> None:
    for what in ("intervals", "cost"):
        figure = BOARD.plot(what)
        assert figure._repr_png_().startswith(b"\x89PNG")
    labels = [label.get_text() for label in BOARD.plot().axes[0].get_yticklabels()]
    assert len(labels) == len(BOARD.tables[0].ranked)


def test_several_data_sets_are_plotted_below_one_another_or_one_alone() -> None:
    (table,) = BOARD.tables
    both = replace(BOARD, tables=(table, replace(table, dataset="other $x$")))
    assert len(both.plot().subfigs) == 2
    assert len(both.plot(dataset=table.dataset).axes) == 1


def test_figure_or_data_set_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(RunError, match="no figure 'interval'; did you mean 'intervals'"):
        BOARD.plot("interval")
    with pytest.raises(RunError, match=r"no data set 'other'; there are .*shop"):
        BOARD.plot(dataset="other")
