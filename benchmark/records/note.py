"""What a reader of a board must know, at a level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["note", "warning"]


@dataclass(frozen=True)
class Note:
    """One sentence that a reader must know; a warning is what a reviewer would object to."""

    text: str
    level: Level = "note"

    @property
    def is_warning(self) -> bool:
        """Whether it is more than a remark."""
        return self.level == "warning"


def warning(text: str) -> Note:
    """Return a note at the level of a warning."""
    return Note(text, "warning")
