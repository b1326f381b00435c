"""One user's list, or the items like one, in words and as JSON."""

from __future__ import annotations

from typing import Any

from benchmark.bundle import Contribution, Explanation, Item, Recommendation, SimilarItems

REASONS = 3
"""Contributions that are shown of an item; JSON, CSV and Parquet have all of them."""


def list_as_text(found: Recommendation) -> str:
    """Return a line for each item: rank, id and title; below it what carried its score, if asked for."""
    lines = []
    for line, item in zip(_ranked(found.items), found.items, strict=True):
        lines.append(line if item.why is None else f"{line}  (score {item.score:.4g})")
        lines += [] if item.why is None else _reasons(item.why)
    return "\n".join([found.note, *lines] if found.note else lines)


def similar_as_text(found: SimilarItems) -> str:
    """Return what the items are like and by which measure, then rank, score, id and title of each."""
    name = " ".join(filter(None, [str(found.item), found.title]))
    head = [f"like {name}, by {found.measure}:", *filter(None, [found.note])]
    lines = [
        f"{line[:4]} {item.score:>8.4f} {line[4:]}"
        for line, item in zip(_ranked(found.items), found.items, strict=True)
    ]
    return "\n".join([*head, *lines])


def list_as_json(found: Recommendation) -> dict[str, Any]:
    """Return a list as JSON holds it."""
    return {
        "user": found.user,
        "source": found.source,
        "note": found.note,
        "items": [_item_as_json(rank, item) for rank, item in enumerate(found.items, start=1)],
    }


def similar_as_json(found: SimilarItems) -> dict[str, Any]:
    """Return the items like one as JSON holds them."""
    items = [_item_as_json(rank, item) for rank, item in enumerate(found.items, start=1)]
    return {
        "item": found.item,
        "title": found.title,
        "measure": found.measure,
        "note": found.note,
        "items": items,
    }


def _item_as_json(rank: int, item: Item) -> dict[str, Any]:
    shown = {"rank": rank, "id": item.id, "title": item.title, "score": item.score}
    if item.why is None:
        return shown
    carried = [vars(one) for one in item.why.contributions]
    return shown | {"why": {"contributions": carried, "rest": item.why.rest}}


def _ranked(items: tuple[Item, ...]) -> list[str]:
    width = max((len(str(item.id)) for item in items), default=0)
    return [
        f"{rank:>3}  {item.id!s:>{width}}  {item.title or ''}".rstrip()
        for rank, item in enumerate(items, start=1)
    ]


def _reasons(why: Explanation) -> list[str]:
    """Return the largest contributions, the sum of the others, and the rest; 0 is not worth a line."""
    shown, others = why.contributions[:REASONS], why.contributions[REASONS:]
    lines = [_reason(one.value, _named(one)) for one in shown]
    if others:
        lines.append(_reason(sum(one.value for one in others), f"{len(others)} other items of the history"))
    if why.rest or not shown:
        lines.append(_reason(why.rest, "rest: what no item of the history carried"))
    return lines


def _named(one: Contribution) -> str:
    return " ".join(filter(None, [str(one.id), one.title]))


def _reason(value: float, what: str) -> str:
    return f"       {value:>+10.4g}  {what}"
