"""A row of the board whose lists were made elsewhere, as a suite names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from benchmark.datasets.specs import FilePath, Spec

LISTS_KEY = "lists"
"""The key by which an entry of ``models`` is a row of lists."""


class ListsFiles(Spec):
    """Files of lists, each a table of user, item and rank or score."""

    valid: FilePath | None = Field(
        default=None,
        description="lists for validation, made from train alone; may be missing, they choose nothing",
    )
    test: FilePath = Field(description="lists for test, made from train, or from train and validation")

    @field_validator("valid", "test")
    @classmethod
    def _named(cls, path: str | None) -> str | None:
        if path is not None and not path.strip():
            raise ValueError("must be the path of a file")
        return path


class ListsRow(Spec):
    """One row of the board without a model: nothing is trained or tuned for it."""

    lists: ListsFiles = Field(description="files with the lists; relative to the suite")
    name: str = Field(default="", description="its name on the board; that of the test file by default")
    dataset: str | None = Field(
        default=None,
        description="the data set that the lists are for, or its fold, such as shop#2; needed where a suite "
        "has several",
    )

    @model_validator(mode="before")
    @classmethod
    def _no_model(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.keys() & {"use", "set", "tune"}:
            raise ValueError("has a model and lists; a row is one or the other: lists are not tuned here")
        return given

    @property
    def label(self) -> str:
        """The name on the board."""
        return self.name or Path(self.lists.test).stem
