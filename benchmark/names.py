"""Names of models, which mean the same in capitals and in small letters."""

from __future__ import annotations

from collections.abc import Iterable


def meant_by(name: str, names: Iterable[str]) -> str | None:
    """Return which of the names is meant, without regard to case; the exact one first, None if none is.

    >>> meant_by("Native/EASE", ["native/ease", "native/slim"]), meant_by("ease", ["native/ease"])
    ('native/ease', None)
    """
    alike = [other for other in names if other.casefold() == name.casefold()]
    return name if name in alike else next(iter(alike), None)


def differing_by_case(names: Iterable[str]) -> list[str]:
    """Return the first two different names that differ by case alone, none if no two do.

    >>> differing_by_case(["svd", "ease", "SVD"]), differing_by_case(["svd", "svd"])
    (['svd', 'SVD'], [])
    """
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.casefold(), name)
        if first != name:
            return [first, name]
    return []
