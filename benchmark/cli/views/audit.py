"""The logs of a suite, how they were prepared and split, and what the audit flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from benchmark.cli.views.tables import show_table
from benchmark.datasets.audit.split_audit import TERMS
from benchmark.datasets.manifest import SplitManifest
from benchmark.datasets.specs import EVERY_RATING
from benchmark.leaderboard.log_table import log_facts, log_remarks, step_facts
from benchmark.leaderboard.notes import sample_notes
from benchmark.metrics.constant import constant_metrics
from benchmark.records import to_json


def show_audit(manifests: Sequence[SplitManifest], console: Console, metrics: Sequence[str] = ()) -> None:
    """Show the logs of a suite, how they were prepared and split, and what the audit flags.

    Args:
        manifests: one a split.
        console: where to.
        metrics: names of what will be measured: those that say nothing on a split are named.
    """
    for manifest in manifests:
        console.print(Text(manifest.dataset, style="bold"))
        show_table(console, ("what", "value"), list(facts(manifest)))
        for name, reason in constant_metrics(metrics, manifest.log_audit).items():
            console.print(Text(f"  {name}: n/a: the same for every model: {reason}"))
        for remark in (*log_remarks(manifest), *sample_notes(manifest)):
            label = "warning" if remark.is_warning else "note"
            console.print(Text(f"  {label}: {remark.text}", style="yellow" if remark.is_warning else ""))
        for note in manifest.audited.notes:
            console.print(Text(f"  note: {note}"))
        if manifest.every_rating_is_a_like:
            console.print(Text(f"  WARNING: {EVERY_RATING}", style="yellow"))
        for flag in manifest.audited.flags:
            console.print(Text(f"  flag: {flag}", style="yellow"))
    console.print()
    shown = {term for manifest in manifests for term in findings(manifest)}
    if any(manifest.notes.tie_rule is not None for manifest in manifests):
        shown.add("tied")
    for term in (term for term in TERMS if term in shown):
        console.print(Text(f"{spaced(term)}: {TERMS[term]}", style="dim"), soft_wrap=True)


def facts(manifest: SplitManifest) -> Iterator[tuple[str, str]]:
    """Yield what was done and found, a name and a value each."""
    if manifest.log_audit is not None:
        yield from log_facts(manifest.log_audit)
    yield from step_facts(manifest)
    if (manifest.pairs, manifest.seen) != ("once", "hide"):
        yield "items that come again", f"pairs: {manifest.pairs}, seen: {manifest.seen}"
    yield "split", in_words(manifest.rule.model_dump(mode="json"))
    for part, counted in manifest.parts.items():
        yield part, in_words(to_json(counted))
    yield "notes of the split", in_words(to_json(manifest.notes))
    yield from ((spaced(term), in_words(found)) for term, found in findings(manifest).items())


def findings(manifest: SplitManifest) -> Mapping[str, object]:
    """Return what the audit found, by the terms that explain it."""
    overlap, found = manifest.audited.overlap, to_json(manifest.audited)
    pairs = {"train and valid": overlap.train_valid, "train and test": overlap.train_test}
    found |= {"overlap": pairs | {"valid and test": overlap.valid_test}}
    return {term: found[term] for term in TERMS if found.get(term) is not None}


def in_words(value: object) -> str:
    """Return a value, or a mapping of values, as one line; what is None or empty is left out.

    >>> in_words({"same_user": 0.75712, "any_user": None, "parts": {"rows": 3}})
    'same user 0.7571, parts rows 3'
    """
    if isinstance(value, Mapping):
        said = {key: inner for key, inner in value.items() if inner is not None and inner != ""}
        return ", ".join(f"{spaced(key)} {in_words(inner)}" for key, inner in said.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spaced(name: str) -> str:
    """Return the name of a field as words."""
    return name.replace("_", " ")
