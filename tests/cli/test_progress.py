"""What a person sees while a run goes on: a picture in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from benchmark.cli.views.progress import Progress
from benchmark.protocol import Range
from benchmark.records import Exclusion, StudyRecord
from benchmark.runner import Watcher


def planned(name: str, *, is_tuned: bool = True, excluded: Exclusion | None = None) -> StudyRecord:
    """Return the study of a model on the data set toy."""
    return StudyRecord(
        dataset="toy",
        model=name,
        adapter=name,
        library=name.partition("/")[0],
        feedback="implicit",
        rates=False,
        deterministic=False,
        devices=("cpu",),
        from_features=(),
        space={"lr": Range(0.0, 1.0)} if is_tuned else {},
        default={"lr": 0.5},
        published=None,
        excluded=excluded,
    )


STUDIES = [
    planned("torch/a"),
    planned("lib/b"),
    planned("baselines/popularity", is_tuned=False),
    planned("keras/c", excluded=Exclusion("skipped", "needs keras")),
]


FAULT = "KeyError: 'gain'\n  in " + "the fit " * 30


def watch(*, terminal: bool, quiet: bool = False, better: bool = True) -> tuple[Progress, io.StringIO]:
    target = io.StringIO()
    console = Console(file=target, width=200, force_terminal=terminal, color_system=None)
    return Progress(console, higher_is_better=better, quiet=quiet), target


def goes_through(progress: Progress) -> None:
    """Tell the story of a small run."""
    with progress:
        progress.said("toy: read")
        progress.planned(STUDIES, 90.0, 2, 5)
        progress.trial("toy/torch/a", 0)
        progress.step("toy/torch/a", 0, 0.25)
        progress.step("toy/torch/a", 0, 0.125)
        progress.spent("toy/torch/a", 45.0)
        progress.study_closed("toy/torch/a", "ok", 0.25, "20 trials")
        progress.study_closed("toy/lib/b", "failed", None, FAULT)
        for done in range(6):
            progress.final("toy/torch/a", done, 5)


def picture(progress: Progress) -> list[str]:
    """Return the lines that the live picture would show now."""
    target = io.StringIO()
    Console(file=target, width=200, color_system=None).print(progress.table.get_renderable())
    return target.getvalue().splitlines()


def test_output_that_is_no_terminal_gets_plain_lines_without_control_codes() -> None:
    progress, target = watch(terminal=False)
    goes_through(progress)
    lines = target.getvalue().splitlines()
    assert lines[0] == "toy: read"
    assert lines[2:] == [
        "toy/torch/a: ok, 1 trial, 45.0 s charged, best on validation 0.2500",
        f"toy/lib/b: failed, no trial now, no result: KeyError: 'gain' in {'the fit ' * 22}…",
        "toy/torch/a: refitting 5 times for test",
        "toy/torch/a: 5 of 5 refits scored on test",
    ]
    assert "\x1b" not in target.getvalue()


def test_plan_says_what_will_run_and_until_when_before_the_first_trial() -> None:
    progress, target = watch(terminal=False)
    progress.planned(STUDIES, 90.0, 1, 5)
    assert re.fullmatch(
        r"3 models, 2 tuned for 90s each, 1 at a time, until \w+ \d\d:\d\d:\d\d; "
        r"then up to 5 refits of each, each about as long as its best trial\.\n",
        target.getvalue(),
    )


def test_plan_of_one_model_that_is_not_tuned_promises_no_end() -> None:
    progress, target = watch(terminal=False)
    progress.planned(STUDIES[2:3], 90.0, 1, 1)
    assert target.getvalue().startswith("1 model, none of them tuned; then up to 1 refit of each")


def test_picture_says_why_a_model_failed() -> None:
    progress, _ = watch(terminal=False)
    goes_through(progress)
    (line,) = [line for line in picture(progress) if line.startswith("toy/lib/b")]
    assert "KeyError: 'gain' in the fit" in line


def test_picture_has_one_line_per_model_whatever_was_told() -> None:
    progress, _ = watch(terminal=False)
    goes_through(progress)
    assert [line.split()[0] for line in picture(progress)[1:]] == [study.name for study in STUDIES]


def test_picture_shows_state_trials_charge_best_and_what_goes_on_now() -> None:
    progress, _ = watch(terminal=False)
    progress.planned(STUDIES, 90.0, 2, 5)
    progress.trial("toy/torch/a", 0)
    progress.trial("toy/torch/a", 1)
    progress.step("toy/torch/a", 1, 0.25)
    progress.step("toy/torch/a", 1, 0.125)
    progress.spent("toy/torch/a", 45.0)
    a, b, _, c = picture(progress)[1:]
    assert a.split()[:2] == ["toy/torch/a", "tuning"]
    assert a.rstrip().endswith("45.0 s       2  0.2500  trial 1: 0.1250")
    assert b.split()[1] == "waiting"
    assert c.split()[1] == "skipped"


@pytest.mark.parametrize(("better", "best"), [(True, "0.7500"), (False, "0.2500")])
def test_best_value_knows_which_way_is_better(better: bool, best: str) -> None:
    progress, _ = watch(terminal=False, better=better)
    progress.planned(STUDIES[:1], 90.0, 1, 1)
    for value in (0.5, 0.25, 0.75, 0.5):
        progress.step("toy/torch/a", 0, value)
    assert f" {best} " in picture(progress)[1]


def test_terminal_gets_the_live_picture_and_no_plain_line_for_each_event() -> None:
    progress, target = watch(terminal=True)
    goes_through(progress)
    shown = target.getvalue()
    assert "toy: read" in shown
    assert "5 of 5 refits scored" in shown
    assert "best on validation" not in shown
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).splitlines()[-len(STUDIES) :]
    assert [line.split()[0] for line in last if line.strip()] == [study.name for study in STUDIES]


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_shows_what_was_said_and_nothing_of_the_progress(terminal: bool) -> None:
    progress, target = watch(terminal=terminal, quiet=True)
    goes_through(progress)
    assert target.getvalue() == "toy: read\n"


def test_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    progress, target = watch(terminal=False)
    progress.planned([planned("[red]x[/]")], 1.0, 1, 1)
    progress.study_closed("toy/[red]x[/]", "ok", 0.5, "")
    assert "toy/[red]x[/]: ok" in target.getvalue()
    assert picture(progress)[1].startswith("toy/[red]x[/]")


def test_progress_is_what_a_run_tells_its_watcher() -> None:
    progress, _ = watch(terminal=False)
    watcher: Watcher = progress
    assert all(hasattr(watcher, name) for name in vars(Watcher) if not name.startswith("_"))
