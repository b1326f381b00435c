"""Frozen dataclasses as JSON objects, checked when they are read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, TypeAdapter

from benchmark.protocol import Choice, Range, Space

Record = TypeVar("Record")


def to_json(record: Any) -> dict[str, Any]:
    """Return a record as JSON holds it.

    >>> from benchmark.records import Exclusion
    >>> to_json(Exclusion("n/a", "predicts no ratings"))
    {'status': 'n/a', 'reason': 'predicts no ratings'}
    """
    content: dict[str, Any] = _adapter(type(record)).dump_python(record, mode="json")
    return content


def from_json(kind: type[Record], content: Mapping[str, Any]) -> Record:
    """Return the record that :func:`to_json` wrote; keys that it does not have are ignored.

    Raises:
        ValueError: a key is missing, or holds something else than the record says.

    >>> from benchmark.records import Exclusion
    >>> from_json(Exclusion, {"status": "n/a", "reason": "predicts no ratings"})
    Exclusion(status='n/a', reason='predicts no ratings')
    """
    record: Record = _adapter(kind).validate_python(content)
    return record


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what checks a kind of record; made once, it takes a millisecond."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def space_from_json(content: Mapping[str, Any]) -> Space:
    """Return a search space from JSON: ``{low, high, log}`` for a range, ``{options}`` for a choice.

    Whole numbers stay whole.

    >>> space_from_json({"dim": {"low": 8, "high": 256, "log": True}})["dim"].whole
    True
    """
    return {
        name: domain
        if isinstance(domain, Range | Choice)
        else Choice(*domain["options"])
        if "options" in domain
        else Range(**domain)
        for name, domain in content.items()
    }


StoredSpace: TypeAlias = Annotated[Mapping[str, Any], BeforeValidator(space_from_json)]
"""A ``Space`` as a field of a record."""
