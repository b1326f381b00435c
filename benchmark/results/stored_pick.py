"""The picks that a run holds, as its page shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from benchmark.results.directory import RunDirectory


@dataclass(frozen=True)
class StoredPick:
    """The last pick of one data set.

    Attributes:
        winner: the model.
        made: when, in ISO 8601; empty in records of before.
        summary: the decision in a sentence or two.
        rule: in words, with its numbers.
        limits: that the winner had to meet.
        warnings: what anyone relying on it must know.
        reasons: every model and why it won or lost, the winner first.
    """

    winner: str
    made: str
    summary: str
    rule: str
    limits: tuple[str, ...]
    warnings: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]


def stored_picks(run: RunDirectory) -> Mapping[str, StoredPick]:
    """Return the last pick of each data set of a run; a file that is no record is passed over.

    Earlier picks are kept as ``pick-N``, so the newest by date counts, at equal dates that without a number.
    """
    found: dict[str, StoredPick] = {}
    for path in sorted(run.path.glob("pick*.json"), key=lambda path: (-len(path.name), path.name)):
        try:
            content = json.loads(path.read_text("utf-8"))
            dataset, pick = str(content["dataset"]), read_pick(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if dataset not in found or pick.made >= found[dataset].made:
            found[dataset] = pick
    return found


def read_pick(content: Mapping[str, object]) -> StoredPick:
    """Return a record as a page shows it.

    Raises:
        KeyError: the content is no record.
        TypeError: likewise.
    """
    models, rule = content["models"], content["rule"]
    if not isinstance(models, list) or not isinstance(rule, dict):
        raise TypeError("no record of a pick")
    texts = {name: content[name] for name in ("limits", "warnings")}
    if not all(isinstance(one, list) for one in texts.values()):
        raise TypeError("no record of a pick")
    limits, warnings = (tuple(map(str, texts[name])) for name in ("limits", "warnings"))  # type: ignore[call-overload]
    winner = str(content["winner"])
    return StoredPick(
        winner,
        str(content.get("made", "")),
        str(content.get("summary", f"Picked: {winner}.")),
        str(rule["text"]),
        limits,
        warnings,
        tuple((str(one["model"]), str(one["reason"])) for one in models),
    )
