"""One user's list."""

from __future__ import annotations

from typing import Any

from benchmark.bundle import Recommendation


def list_as_text(found: Recommendation) -> str:
    """Return a line for each item: rank, id and title."""
    width = max((len(str(item.id)) for item in found.items), default=0)
    lines = [
        f"{rank:>3}  {item.id!s:>{width}}  {item.title or ''}".rstrip()
        for rank, item in enumerate(found.items, start=1)
    ]
    return "\n".join([found.note, *lines] if found.note else lines)


def list_as_json(found: Recommendation) -> dict[str, Any]:
    """Return a list as JSON holds it."""
    items = [{"rank": rank, **vars(item)} for rank, item in enumerate(found.items, start=1)]
    return {"user": found.user, "source": found.source, "note": found.note, "items": items}
