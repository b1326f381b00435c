"""The knowledge graph beside a log, as a suite names it: its triples, and which entity each item is."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator

from benchmark.datasets.specs.base_spec import Separator, Spec
from benchmark.datasets.specs.file_path import FilePath


class LinkSpec(Spec):
    """A table that says which entity of a graph each item is."""

    path: FilePath = Field(
        description="CSV, TSV, JSON lines, Parquet, Feather or ORC file, or RecBole's .link"
    )
    item: str | None = Field(
        default=None, description="column with the item's id, as in the log; item or item_id if not given"
    )
    entity: str | None = Field(
        default=None, description="column with the entity; entity or entity_id if not given"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="names of all columns, for a text file without a header line"
    )
    separator: Separator = Field(default="auto", description="separates the columns of a text file")


class GraphSpec(Spec):
    """A table with one triple a line: head, relation, tail."""

    path: FilePath = Field(description="CSV, TSV, JSON lines, Parquet, Feather or ORC file, or RecBole's .kg")
    head: str | None = Field(
        default=None,
        description="column with the entity that a triple is about; head or head_id if not given",
    )
    relation: str | None = Field(
        default=None,
        description="column with the name of the relation; relation or relation_id if not given",
    )
    tail: str | None = Field(
        default=None, description="column with the other entity; tail or tail_id if not given"
    )
    link: LinkSpec | None = Field(
        default=None,
        description="table that says which entity each item is, or its path alone; without one, an entity "
        "whose name is an item's id is that item",
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="names of all columns, for a text file without a header line"
    )
    separator: Separator = Field(default="auto", description="separates the columns of a text file")

    @model_validator(mode="before")
    @classmethod
    def _link_by_its_path(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("link"), str):
            return {**given, "link": {"path": given["link"]}}
        return given

    @model_validator(mode="after")
    def _columns_differ(self) -> GraphSpec:
        named = [column for column in (self.head, self.relation, self.tail) if column]
        for column in named:
            if named.count(column) > 1:
                raise ValueError(
                    f"column {column!r} is named more than once; head, relation and tail each need their own"
                )
        return self


GraphKey: TypeAlias = Annotated[
    Annotated[Literal["from_items", "none"], Tag("rule")] | Annotated[GraphSpec, Tag("list")],
    Discriminator(lambda given: "rule" if isinstance(given, str) else "list"),
]
"""A file with triples; "from_items": made from the table of items; "none": not even the publisher's."""
