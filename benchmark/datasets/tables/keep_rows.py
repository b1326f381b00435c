"""Which rows of a table meet the condition of a suite's ``rows``; distinct entries are compared, not rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.datasets.log import Say
from benchmark.datasets.specs import ColumnComparison, Constant, Junction, Negation, RowCondition, comparisons
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
SHOWN = 6

Chosen: TypeAlias = NDArray[np.bool_]
"""Which entries meet a condition."""


def filter_columns(condition: RowCondition | None) -> list[str]:
    """Return the columns that a condition compares, each once."""
    return list(dict.fromkeys(one.column for one in comparisons(condition))) if condition else []


def text_columns(condition: RowCondition | None) -> list[str]:
    """Return those that it compares with text: they are read as they are written."""
    every = comparisons(condition) if condition else ()
    return list(dict.fromkeys(one.column for one in every if isinstance(one.constants[0], str)))


@dataclass(frozen=True)
class RowChooser:
    """Applies a condition to one table.

    Attributes:
        table: contains every column of the condition.
        where: the file, for messages.
        decimal: decimal mark of numbers in text.
        say: takes what is noteworthy, such as a word that does not occur.
    """

    table: pa.Table
    where: str
    decimal: str
    say: Say

    def chosen(self, condition: RowCondition) -> Chosen:
        """Return which rows (N,) meet the condition.

        A missing entry is "", so it meets != and not. Blanks around text do not count.

        Raises:
            DataError: a column is compared with another kind than it contains.
        """
        if isinstance(condition, Negation):
            return ~self.chosen(condition.condition)
        if isinstance(condition, Junction):
            parts = [self.chosen(part) for part in condition.conditions]
            join = np.logical_and if condition.word == "and" else np.logical_or
            return np.asarray(join.reduce(parts), dtype=np.bool_)
        return self._compared(condition)

    def _compared(self, comparison: ColumnComparison) -> Chosen:
        import pyarrow as pa

        column = self.table.column(comparison.column)
        if not pa.types.is_dictionary(column.type) and pa.types.is_string(column.type):
            column = column.dictionary_encode()
        if not pa.types.is_dictionary(column.type):
            return self._meets(column.to_pandas(), comparison)
        whole = column.unify_dictionaries()
        if not whole.num_chunks:
            return np.zeros(0, dtype=bool)
        distinct = whole.chunk(0).dictionary.to_pandas()
        meets = np.append(self._meets(distinct, comparison), self._missing(comparison))
        codes = [
            chunk.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False) for chunk in whole.chunks
        ]
        return np.asarray(meets[np.concatenate(codes)], dtype=np.bool_)

    def _missing(self, comparison: ColumnComparison) -> bool:
        """Whether an entry that is missing meets a comparison."""
        if comparison.operator == "!=":
            return "" not in comparison.constants
        return comparison.operator in {"==", "in"} and "" in comparison.constants

    def _meets(self, entries: pd.Series, comparison: ColumnComparison) -> Chosen:
        """Return which entries meet a comparison; entries may be text, numbers, booleans or dates."""
        comparable, constants = self._alike(entries, comparison)
        absent = comparable.isna().to_numpy()
        if comparison.operator in {"==", "!=", "in"}:
            equal = comparable.isin(list(constants)).to_numpy(dtype=bool)
            self._say_absent(comparable, comparison, constants)
            met = ~equal if comparison.operator == "!=" else equal
        else:
            ordered = comparable[~absent]
            than = {"<": ordered.lt, "<=": ordered.le, ">": ordered.gt, ">=": ordered.ge}
            met = np.zeros(len(comparable), dtype=bool)
            met[~absent] = than[comparison.operator](constants[0]).to_numpy(dtype=bool)
        return np.where(absent, self._missing(comparison), met)

    def _alike(self, entries: pd.Series, comparison: ColumnComparison) -> tuple[pd.Series, list[Any]]:
        """Return entries and constants as one kind that can be compared.

        Raises:
            DataError: they are of two kinds.
        """
        constants = list(comparison.constants)
        example = constants[0]
        if isinstance(example, bool):
            return self._booleans(entries, comparison), constants
        if isinstance(example, str):
            if pd.api.types.is_datetime64_any_dtype(entries.dtype):
                return self._moments(entries, comparison)
            if pd.api.types.is_numeric_dtype(entries.dtype):
                raise self._wrong(comparison, "contains numbers or booleans", "write it without quotes")
            entries = entries.where(entries.notna(), None).astype("object").str.strip()
            if comparison.operator not in {"==", "!=", "in"}:
                self._require_dates([*entries[entries != ""].dropna(), *constants], comparison)
            return entries, constants
        if pd.api.types.is_bool_dtype(entries.dtype) or pd.api.types.is_datetime64_any_dtype(entries.dtype):
            kind = "booleans" if pd.api.types.is_bool_dtype(entries.dtype) else "dates"
            cure = (
                "compare with true or false" if kind == "booleans" else 'write a date in quotes, "2024-05-31"'
            )
            raise self._wrong(comparison, f"contains {kind}", cure)
        if pd.api.types.is_numeric_dtype(entries.dtype):
            return entries, constants
        plain = entries.where(entries.notna(), "").astype("str")
        pointed = plain.str.replace(self.decimal, ".", regex=False) if self.decimal != "." else plain
        whole = pointed.str.fullmatch(r"-?\d{1,18}").to_numpy(dtype=bool)
        numbers = pd.to_numeric(pointed, errors="coerce")
        wrong = plain[numbers.isna() & (plain != "")]
        if len(wrong):
            raise self._wrong(
                comparison, f"has {wrong.iloc[0]!r}, which is not a number", 'put it in quotes, as in "7"'
            )
        return (pointed.astype("int64") if whole.all() and len(whole) else numbers), constants

    def _booleans(self, entries: pd.Series, comparison: ColumnComparison) -> pd.Series:
        if pd.api.types.is_bool_dtype(entries.dtype):
            return entries
        found = entries.map(
            {True: True, False: False, "true": True, "false": False, "True": True, "False": False}
        )
        wrong = entries[found.isna() & entries.notna() & (entries != "")]
        if len(wrong):
            raise self._wrong(comparison, f"has {wrong.iloc[0]!r}", "compare it with what it contains")
        return found

    def _moments(self, entries: pd.Series, comparison: ColumnComparison) -> tuple[pd.Series, list[Any]]:
        self._require_dates(list(comparison.constants), comparison)
        try:
            moments = [pd.Timestamp(str(constant)) for constant in comparison.constants]
        except ValueError as error:
            raise self._wrong(comparison, f"contains dates ({error})", "correct the date") from None
        moments = [moment.tz_localize("UTC") if moment.tzinfo is None else moment for moment in moments]
        return pd.to_datetime(entries, utc=True), moments

    def _require_dates(self, texts: list[Any], comparison: ColumnComparison) -> None:
        wrong = next((text for text in texts if not ISO_DATE.fullmatch(str(text))), None)
        if wrong is not None:
            raise self._wrong(
                comparison,
                f"is text such as {str(wrong)!r}",
                "text is ordered only if it is a date such as 2024-05-31: compare with == or in",
            )

    def _say_absent(self, entries: pd.Series, comparison: ColumnComparison, constants: list[Any]) -> None:
        """Say which constants no row has: they may be misspelt."""
        if not isinstance(comparison.constants[0], str):
            return
        known = set(entries.dropna())
        absent = [
            written for written, one in zip(comparison.constants, constants, strict=True) if one not in known
        ]
        if absent := [one for one in absent if one != ""]:
            self.say(
                f"{self.where}: rows: {', '.join(map(repr, absent))} does not occur in column "
                f"{comparison.column!r}, which has {listed(entries)}"
            )

    def _wrong(self, comparison: ColumnComparison, found: str, cure: str) -> DataError:
        return DataError(
            f"{self.where}: rows compares column {comparison.column!r} with "
            f"{shown(comparison.constants[0])}, but it {found}; {cure}"
        )


def shown(constant: Constant) -> str:
    """Return a constant as a suite writes it."""
    return f'"{constant}"' if isinstance(constant, str) else str(constant).lower()


def listed(entries: pd.Series) -> str:
    """Return the first distinct entries of a column."""
    distinct = entries.dropna().drop_duplicates()
    more = f" and {len(distinct) - SHOWN} more" if len(distinct) > SHOWN else ""
    return ", ".join(map(repr, distinct.iloc[:SHOWN].tolist())) + more
