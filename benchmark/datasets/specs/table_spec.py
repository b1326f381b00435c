"""Tables of users and of items beside a log, as a suite names them."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from benchmark.datasets.specs.base_spec import Separator, Spec
from benchmark.datasets.specs.file_path import FilePath


class TitlesSpec(Spec):
    """A table with one line per item, to show titles instead of ids."""

    path: FilePath = Field(description="CSV, TSV, JSON lines, Parquet, Feather or ORC file")
    item: str = Field(default="item", description="column with the item's id, as in the log")
    title: str = Field(default="title", description="column with the title")
    genres: str | None = Field(
        default=None, description="column with the genres, joined by |; none if not given"
    )


class TableSpec(Spec):
    """A table with one line per user or per item: what models may learn from besides the log."""

    path: FilePath = Field(description="CSV, TSV, JSON lines, Parquet, Feather or ORC file")
    id: str = Field(default="id", description="column with the id, as in the log")
    title: str | None = Field(default=None, description="items: column with the title; none if not given")
    categories: tuple[str, ...] = Field(
        default=(), description="columns with one value each, such as brand: one feature for each value"
    )
    lists: tuple[str, ...] = Field(
        default=(), description="columns with several values each, such as genres: one feature for each value"
    )
    list_separator: str = Field(default="|", min_length=1, description="separates the values of a list")
    numbers: tuple[str, ...] = Field(
        default=(), description="columns with numbers, such as price: one feature, standardised, each"
    )
    bands: dict[str, tuple[float, ...]] = Field(
        default={},
        description="columns with numbers to cut into bands, with the lowest value of every band but the "
        "first, ascending, as in {age: [18, 35, 50]}: one feature for each band, in the column age_band",
    )
    texts: tuple[str, ...] = Field(
        default=(), description="columns with words, such as a description, for models that read text"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, description="names of all columns, for a text file without a header line"
    )
    separator: Separator = Field(default="auto", description="separates the columns of a text file")

    @field_validator("bands")
    @classmethod
    def _ascending(cls, bands: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
        for column, limits in bands.items():
            if not limits or list(limits) != sorted(set(limits)):
                raise ValueError(f"bands of {column} are {list(limits)}; give at least one number, ascending")
        return bands

    @model_validator(mode="after")
    def _one_role_each(self) -> TableSpec:
        given = [*self.categories, *self.lists, *self.numbers, *self.bands, *self.texts]
        made = [f"{column}_band" for column in self.bands]
        for column in given:
            if [self.id, self.title, *given, *made].count(column) > 1:
                raise ValueError(f"column {column!r} is named more than once; each column has one role")
            if column in {"id", "title"}:
                raise ValueError(f"a column called {column!r} can only be the id or the title; rename it")
        if not given and not self.title:
            raise ValueError(
                "says nothing but the id; name columns with categories, lists, numbers, bands or texts"
            )
        return self
