"""What a page says beside its tables: what a board rests on, how its split was made, how to get it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmark.datasets.manifest import SplitManifest
from benchmark.leaderboard import RunOrigin, Table
from benchmark.leaderboard.formatting import NONE, date_text
from benchmark.results import StoredPick
from benchmark.units import write_seconds


def facts_at_the_top(table: Table, origins: Sequence[RunOrigin]) -> Iterator[tuple[str, str]]:
    """Yield what a reviewer asks first: what counts as a like, data and split, budget and date."""
    split, budget = table.facts.split, table.facts.suite.budget
    users, items = f"{split.n_users:,} users", f"{split.n_items:,} items"
    files = ", ".join(f"{Path(one.path).name} {one.sha256[:8]}" for one in split.files)
    yield "Likes", split.likes.partition(": ")[2] or split.likes
    yield "Data", f"{users}, {items}; {files or split.provenance.origin}"
    yield "Split", f"{split.rule.by}, {split.hash[:12]}; finals on {table.facts.finals_on}"
    yield "Budget", f"{write_seconds(budget.per_model)} of device time a model"
    yield "Date", ", ".join(dict.fromkeys(when(one) for one in origins))


def when(origin: RunOrigin) -> str:
    """Return when a run was made; that it runs, or was stopped, where it has not ended."""
    manifest = origin.manifest
    if manifest.state == "finished":
        return date_text(manifest.finished or manifest.started)
    state = "running since" if origin.is_running else "stopped before its end, started"
    return f"{state} {date_text(manifest.started)}"


@dataclass(frozen=True)
class ShownPick:
    """A pick as the page shows it.

    Attributes:
        stored: its record.
        date: when it was made.
        is_older: whether the board was made anew since.
    """

    stored: StoredPick
    date: str
    is_older: bool


def shown_pick(table: Table, origins: Sequence[RunOrigin]) -> ShownPick | None:
    """Return the last pick of a data set; None where none was made, and for a board of several runs."""
    picks = [(one, one.picks[table.dataset]) for one in origins if table.dataset in one.picks]
    if len(origins) > 1 or not picks:
        return None
    ((origin, stored),) = picks
    finished = origin.manifest.finished or origin.manifest.started
    return ShownPick(stored, date_text(stored.made), bool(stored.made) and is_before(stored.made, finished))


def is_before(one: str, other: str) -> bool:
    """Return whether a stored moment lies before another; not known of what is no moment."""
    try:
        return datetime.fromisoformat(one) < datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False


@dataclass(frozen=True)
class Reproduction:
    """How to get a run again.

    Attributes:
        name: of its suite.
        here: the command on the machine that it was made on, from any folder.
        install: the command that installs the versions that it was made with.
        suite_yaml: its suite, every default written out.
        expected: what must come out the same: the hash of each split.
        facts: what it was made from and on.
    """

    name: str
    here: str
    install: str
    suite_yaml: str
    expected: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]


def reproduction(origin: RunOrigin) -> Reproduction:
    """Return how to get a run again."""
    manifest, hardware = origin.manifest, origin.manifest.hardware
    versions = {} if hardware is None else dict(hardware.versions)
    # What an environment holds has a blank in its name, and comes with `bench env create`; no index has the
    # local part of a version, the "+cpu" of a build.
    pins = " ".join(
        shlex.quote(f"{name}=={version.partition('+')[0]}")
        for name, version in versions.items()
        if " " not in name
    )
    return Reproduction(
        manifest.suite,
        f"bench run {shlex.quote(f'{origin.path.absolute()}/suite.yaml')} --fresh",
        f"pip install {pins}" if pins else "",
        origin.suite_yaml,
        [(label, split.hash) for label, split in manifest.datasets.items()],
        list(origin_facts(origin)),
    )


def split_facts(split: SplitManifest) -> Iterator[tuple[str, str]]:
    """Yield what is known of a split, name and text."""
    audit = split.audited
    yield "rule", fact_text(split.rule.model_dump(mode="json"))
    yield "split hash", split.hash
    if (split.pairs, split.seen) != ("once", "hide"):
        yield "items that come again", f"pairs: {split.pairs}, seen: {split.seen}"
    yield "likes", split.likes
    for part, counts in split.parts.items():
        yield part, fact_text(counts)
    for field in fields(audit):
        found = getattr(audit, field.name)
        if field.name not in {"flags", "notes"} and found is not None:
            yield field.name, fact_text(found)
    for note in audit.notes:
        yield "note", note
    for flag in audit.flags:
        yield "flag", flag
    if not audit.flags:
        yield "flags", "none"
    yield "licence", split.provenance.licence
    yield "origin", split.provenance.origin
    for file in (*split.files, split.candidates.file):
        if file is not None:
            said = f"{file.path}, {file.size:,} bytes, last written {file.modified}, sha256 {file.sha256}"
            yield f"file: {file.role}", said


def fact_text(value: Any) -> str:
    """Return nested facts on one line; what does not exist is left out.

    >>> fact_text({"rows": 10, "share": 0.123456, "seed": None})
    'rows 10, share 0.1235'
    """
    content = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    if isinstance(content, Mapping):
        return ", ".join(f"{key} {fact_text(inner)}" for key, inner in content.items() if inner is not None)
    return f"{content:.4g}" if isinstance(content, float) else str(content)


def origin_facts(origin: RunOrigin) -> Iterator[tuple[str, str]]:
    """Yield what a run was made from and on: hashes, versions, hardware."""
    manifest, hardware = origin.manifest, origin.manifest.hardware
    yield "folder", str(origin.path.absolute())
    yield "suite hash", manifest.suite_hash
    finished = NONE if manifest.finished is None else date_text(manifest.finished)
    yield "started, finished", f"{date_text(manifest.started)}, {finished}"
    for name, code in manifest.adapters.items():
        if packages := [*([code.package] if code.package else []), *code.packages.values()]:
            yield f"packages of {name}", ", ".join(packages)
        yield f"adapter: {name}", f"sha256 {code.source_sha256}, {fact_text(code.versions)}".rstrip(", ")
    if hardware is not None:
        yield "environment hash", hardware.hash
        shown = ("platform", "processor", "cores", "memory_mb")
        yield "machine", fact_text({name: getattr(hardware, name) for name in shown})
        yield "GPUs", ", ".join(hardware.gpus) or "none"
        yield "python", hardware.python
        yield "versions", fact_text(hardware.versions)
