"""What a suite would run, and what one step of each model showed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from benchmark.cli.views.tables import show_table
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.specs import written
from benchmark.leaderboard.log_table import log_remarks
from benchmark.leaderboard.notes import sample_notes, unused
from benchmark.leaderboard.text_tables import labelled
from benchmark.metrics.constant import constant_metrics
from benchmark.protocol import Space
from benchmark.records import Note, StudyRecord
from benchmark.runner import DryRun, Plan
from benchmark.suite import Suite
from benchmark.suite.advice import advice, sample_advice
from benchmark.units import write_seconds


def show_plan(suite: Suite, plan: Plan, console: Console) -> None:
    """Show each study with its space and first trials, what all may spend, and whom the splits can judge."""
    rows = []
    for study in plan:
        if study.excluded is not None:
            budget = f"{study.excluded.status}: {study.excluded.reason}"
        elif study.name in plan.misfits:
            budget = "does not fit"
        elif not study.tuned:
            budget = "lists, not tuned"
        else:
            budget = write_seconds(budget_of(study, suite)) if study.space else "one trial"
        if study.environment is not None:
            budget += f" in the environment {study.environment.name}"
        rows.append((study.name, budget, space_as_text(study.space), first_trials(study)))
    show_table(console, ("study", "budget", "tunes", "first trials"), rows, long=2)
    tuned = [study for study in plan if study.excluded is None and study.space]
    total = write_seconds(sum(budget_of(study, suite) for study in tuned)) or "0s"
    console.print(
        f"At most {total} of tuning in total, shared by the slots that fit on this machine, plus finals.",
        highlight=False,
    )
    show_earlier(plan, console)
    show_feedback(suite, plan.studies, console)
    for name, misfit in plan.misfits.items():
        text = f"WARNING: {name}: {misfit}"
        console.print(Text(text, style="yellow"), soft_wrap=True)
    for split in plan.splits:
        show_judged(suite, split, console)
        show_notes(split.dataset, sample_notes(split), console)
    if plan.absent:
        show_notes(suite.name, sample_advice(suite, plan.absent), console)
    for name in plan.absent:
        text = f"{name}: not on this machine, so nothing is known of its rows: bench data fetch {name}"
        console.print(Text(text), soft_wrap=True)


def budget_of(study: StudyRecord, suite: Suite) -> float:
    """Return the device-seconds that a study may spend."""
    return suite.budget.per_model if study.budget_s is None else study.budget_s


def show_earlier(plan: Plan, console: Console) -> None:
    """Show what becomes of the results of an earlier run; nothing where there is none."""
    if plan.earlier is None:
        return
    console.print(Text(f"An earlier run of this suite: {plan.earlier.run.path}"), soft_wrap=True)
    for line in () if plan.outlook is None else plan.outlook.lines():
        console.print(Text(f"  {line}"), soft_wrap=True)
    if plan.earlier.changes:
        console.print(Text("  changed since, and refused without --follow:", style="yellow"), soft_wrap=True)
    for line in plan.earlier.changes:
        console.print(Text(f"    {line}", style="yellow"), soft_wrap=True)


def show_judged(suite: Suite, split: SplitManifest, console: Console) -> None:
    """Show whom a split can judge, which metrics say nothing, and what stands out in its log."""
    log = split.log_audit
    if log is None or log.judged is None:
        return
    lines = [f"{split.dataset}: by this split ({split.rule.by}) {log.judged.text}"]
    for name, reason in constant_metrics(suite.metrics.all, log).items():
        lines.append(f"  {name}: n/a: the same for every model: {reason}")
    console.print(Text("\n".join(lines)), soft_wrap=True)
    for remark in log_remarks(split):
        label = "warning" if remark.is_warning else "note"
        style = "yellow" if remark.is_warning else ""
        console.print(Text(f"  {label}: {remark.text}", style=style), soft_wrap=True)


def show_notes(about: str, notes: Iterable[Note], console: Console) -> None:
    """Show notes on one thing, warnings in another colour."""
    for note in notes:
        text = f"{about}: {labelled(note)}"
        console.print(Text(text, style="yellow" if note.is_warning else ""), soft_wrap=True)


def show_feedback(suite: Suite, studies: Sequence[StudyRecord], console: Console) -> None:
    """Show which rows are likes, and which models take weights and known dislikes into account."""
    for spec in suite.datasets:
        prepare = suite.prepare.for_log(spec)
        own = [study for study in studies if study.dataset.partition("#")[0] == spec.name]
        lines = [f"{spec.name}: likes (positive): {written(prepare.positive)}"]
        if prepare.negative is not None:
            lines.append(unused(f"known dislikes ({written(prepare.negative)}) are", "negatives", own))
        if spec.weight is not None:
            lines.append(unused("weights are", "weights", own))
        if spec.graph not in {None, "none"}:
            lines.append(unused("knowledge graph is", "graph", own))
        console.print(Text(" ".join(lines)), soft_wrap=True)
    for sentence in advice(suite):
        console.print(Text(f"WARNING: {sentence}", style="yellow"), soft_wrap=True)


def space_as_text(space: Space) -> str:
    """Return what is tuned, and within which bounds."""
    return ", ".join(f"{name} {domain}" for name, domain in space.items()) or "nothing"


def first_trials(study: StudyRecord) -> str:
    """Return the default configuration, and what differs from it in the published one, tried next."""
    published = (study.published or {}).items()
    other = {key: value for key, value in published if value != study.default[key]}
    parts = [", ".join(f"{key}={value}" for key, value in part.items()) for part in (study.default, other)]
    return "; then published ".join(part for part in parts if part)


def show_dry_run(steps: Sequence[DryRun], console: Console) -> None:
    """Show what one step of every model did."""
    rows = []
    for step in steps:
        seconds = "" if step.first_step_s is None else f"{step.first_step_s:.2f} s"
        rows.append((step.study, "yes" if step.ok else "NO", seconds, step.what))
    show_table(console, ("study", "ok", "first step", "what"), rows, long=1)
