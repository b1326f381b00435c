"""What a run changed against an earlier one: of its suite, of its data, of the code that it ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.errors import BenchError
from benchmark.results.directory import RunDirectory, RunManifest, resolved

LABELS: Mapping[str, tuple[str, ...]] = {"models": ("name", "use"), "datasets": ("name",)}
"""Lists of a suite whose entries have labels: they are compared by these, not by their position."""


def run_changes(before: RunDirectory, after: RunDirectory) -> tuple[str, ...]:
    """Return what differs from an earlier run, a few words each; nothing where a run cannot be read.

    Compared are the suites, and what they do not say: the rows of data sets and the code of adapters that
    both runs have.
    """
    try:
        suites = resolved(before.suite()), resolved(after.suite())
        manifests = before.manifest(), after.manifest()
    except BenchError:
        return ()
    said = list(suite_changes(*suites))
    same_rows = all(suites[0][key] == suites[1][key] for key in ("prepare", "split", "datasets"))
    return (*said, *foundation_changes(*manifests, same_rows=same_rows))


def suite_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield where two resolved suites differ.

    >>> old = {"models": [{"use": "a"}, {"use": "b"}], "budget": {"per_model": 30.0}}
    >>> new = {"models": [{"use": "b", "set": {"dim": 8}}, {"use": "c"}], "budget": {"per_model": 60.0}}
    >>> list(suite_changes(old, new))
    ['+c', '-a', 'b: set.dim: none -> 8', 'budget.per_model: 30.0 -> 60.0']
    """
    for key in dict.fromkeys([*old, *new]):
        if key in LABELS:
            yield from entry_changes(labelled(key, old.get(key)), labelled(key, new.get(key)))
        else:
            yield from value_changes(key, old.get(key), new.get(key))


def labelled(key: str, entries: Any) -> dict[str, Any]:
    """Return the entries of a list by their labels."""
    found = {}
    for entry in entries or ():
        label = next((str(entry[name]) for name in LABELS[key] if entry.get(name)), "")
        found[label or str(entry)] = {name: value for name, value in entry.items() if value != label}
    return found


def entry_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield which entries came, went, or say something else."""
    yield from (f"+{label}" for label in new if label not in old)
    yield from (f"-{label}" for label in old if label not in new)
    for label in old:
        if label in new:
            yield from (f"{label}: {line}" for line in value_changes("", old[label], new[label]))


def value_changes(key: str, old: Any, new: Any) -> Iterator[str]:
    """Yield where two values of a suite differ, down to single keys."""
    if isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        before, after = old or {}, new or {}
        for name in dict.fromkeys([*before, *after]):
            path = f"{key}.{name}" if key else name
            yield from value_changes(path, before.get(name), after.get(name))
    elif old != new:
        yield f"{key}: {in_words(old)} -> {in_words(new)}"


def in_words(value: Any) -> str:
    """Return a value of a suite for one line.

    >>> in_words(None), in_words(["ndcg@10", "map@10"]), in_words(True)
    ('none', 'ndcg@10, map@10', 'yes')
    """
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value)) or "none"
    return str(value)


def foundation_changes(before: RunManifest, after: RunManifest, *, same_rows: bool) -> Iterator[str]:
    """Yield which data and code differ though the suites may not say so.

    Args:
        before: manifest of the earlier run.
        after: of the later one.
        same_rows: whether both suites ask for the same rows.
    """
    for label, split in after.datasets.items():
        if same_rows and label in before.datasets and before.datasets[label].hash != split.hash:
            yield f"data of {label}"
    for name, code in after.adapters.items():
        its = before.adapters.get(name, code)
        if (its.source_sha256, its.versions) != (code.source_sha256, code.versions):
            yield f"code of {name}"
    if before.engine and after.engine and dict(before.engine) != dict(after.engine):
        yield "version of the engine"
