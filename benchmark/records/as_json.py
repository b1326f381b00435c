"""Frozen dataclasses as JSON objects, checked when they are read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

from benchmark.protocol import Choice, Range, Space

if TYPE_CHECKING:  # not at import: models in environments of their own are fitted without pydantic
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema

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
    from pydantic import TypeAdapter

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


class _SpaceFromJson:
    """Has pydantic call :func:`space_from_json` before it looks at a field."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import no_info_before_validator_function

        return no_info_before_validator_function(space_from_json, handler(source))


StoredSpace: TypeAlias = Annotated[Mapping[str, Any], _SpaceFromJson]
"""A ``Space`` as a field of a record."""
