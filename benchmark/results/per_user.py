"""Per-user values of finals: a file for each, hashed as it is written and read by column."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.errors import RunError
from benchmark.files import atomic_path, file_sha256, known_sha256, write_errors_as_run_error
from benchmark.records import FinalRecord
from benchmark.results.directory import RunDirectory

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmark.metrics.evaluation import Evaluation
    from benchmark.protocol import Array, Ids, Values

ENCODING = {"user": "DELTA_BINARY_PACKED"}
"""Ascending ids are packed into next to nothing. A compression, or packed lists, would save a fifth of the
room and take a third more time."""
ROWS_OF_A_GROUP = 1 << 20
"""Users in a row group: a column of a final lies in one piece, or in pieces of 8 MB."""
SUMS = ("squared_error", "absolute_error", "ratings")
"""Columns that rating metrics are made of; nan where the model was not asked for ratings."""
SAMPLE = 4096
"""Values that are looked at to see whether a column has few different ones."""


def write_per_user(path: Path, evaluation: Evaluation, more: Mapping[str, Values] | None = None) -> str:
    """Store a final's per-user values and top-K lists; return the file's SHA-256.

    Columns: user (dense id), one column per ranking metric and per entry of ``more``, the sums that
    rating metrics are made of, and ``items``, the list of K recommended items. Values are stored bit for
    bit. A dictionary is kept only of columns with few different values, such as NDCG's: there it takes a
    tenth of the room, elsewhere most of the time of writing.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    users = len(evaluation.users)
    values: dict[str, Array] = {**evaluation.per_user, **(more or {})}
    for name in SUMS:
        sums = getattr(evaluation, name)
        values[name] = sums if sums is not None and len(sums) else np.full(users, np.nan)
    lists = np.ascontiguousarray(evaluation.lists, dtype=np.int32)
    ends = np.arange(users + 1, dtype=np.int32) * np.int32(lists.shape[1])
    list_type = pa.list_(pa.field("element", pa.int32(), nullable=False))
    arrays = {"user": pa.array(evaluation.users), **{name: pa.array(each) for name, each in values.items()}}
    arrays["items"] = pa.ListArray.from_arrays(pa.array(ends), pa.array(lists.ravel()), type=list_type)
    schema = pa.schema([pa.field(name, array.type, nullable=False) for name, array in arrays.items()])
    with write_errors_as_run_error(path.parent), atomic_path(path) as temporary:
        pq.write_table(
            pa.table(arrays, schema=schema),
            temporary,
            compression="none",
            row_group_size=ROWS_OF_A_GROUP,
            use_dictionary=[name for name, each in values.items() if has_few_values(each)],
            column_encoding=ENCODING,
            write_statistics=False,
        )
        return file_sha256(temporary)


def has_few_values(values: Array) -> bool:
    """Return whether the values (U,) repeat one another, by a sample spread evenly over them.

    >>> import numpy as np
    >>> has_few_values(np.array([0.5, 0.5, 0.0, 1.0])), has_few_values(np.array([0.1, 0.2, 0.3]))
    (True, False)
    """
    import numpy as np

    sample = values[:: max(1, len(values) // SAMPLE)]
    return len(np.unique(sample)) <= 0.75 * len(sample)


class PerUserRows(ABC):
    """The rows of a per-user file, of which only the columns asked for are read."""

    @property
    @abstractmethod
    def path(self) -> Path:
        """The file."""

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of what is stored of each user.

        Raises:
            RunError: the file is gone, or was changed.
        """
        return tuple(self._footer.schema.to_arrow_schema().names)

    @cached_property
    def _footer(self) -> pq.FileMetaData:
        """Where each column lies."""
        import pyarrow.parquet as pq

        return pq.read_metadata(self.path)

    def column(self, name: str) -> Array:
        """Return a stored column, (E,) in the order of users; nan where this final has no such column.

        Raises:
            RunError: the file is gone, or was changed.
        """
        import numpy as np

        if name not in self.columns:
            return np.full(len(self.column("user")), np.nan)
        found: Array = self._read([name])[name].to_numpy()
        return found

    def lists(self) -> Ids:
        """Return the lists of all users (E, K); as large as all other columns together, so keep only one.

        Raises:
            RunError: the file is gone, or was changed.
        """
        import numpy as np

        lists = self._read(["items"])["items"].combine_chunks()
        items: Ids = lists.flatten().to_numpy()
        return items.reshape(len(lists), -1) if len(items) else np.empty((len(lists), 0), dtype=np.int32)

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return columns as a table, all of them if none is named.

        Raises:
            RunError: the file is gone, or was changed.
        """
        import pandas as pd

        return pd.read_parquet(self.path, columns=None if columns is None else list(columns))

    def _read(self, columns: Sequence[str]) -> pa.Table:
        """Return these columns; the only place where the engine opens such a file for its values."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path, metadata=self._footer) as file:
            return file.read(columns=list(columns))


@dataclass(frozen=True)
class PerUserFile(PerUserRows):
    """A per-user file that was just found to be the one that was written.

    Attributes:
        found: its path.
    """

    found: Path

    @property
    def path(self) -> Path:
        """The file."""
        return self.found


@dataclass(frozen=True)
class PerUserPart(PerUserRows):
    """The per-user rows of one complete final.

    Attributes:
        run: the run that stored it.
        final: whose rows they are.
    """

    run: RunDirectory
    final: FinalRecord

    @property
    def path(self) -> Path:
        """The file, found to be the one that was written.

        It is hashed when it is first read, and again only where it was touched since.

        Raises:
            RunError: it is gone, or was changed.
        """
        path, stored = self.run / self.final.scores.path, self.final.scores.sha256
        try:
            found = known_sha256(path)
        except OSError as error:
            raise RunError(
                f"{path}: cannot be read ({error.strerror or error}); it holds the per-user values of "
                f"{self.final.model}, seed {self.final.seed}. {CURE}"
            ) from error
        if found != stored:
            raise RunError(
                f"{path}: was changed after the run wrote it (its SHA-256 is {found[:8]}, the ledger has "
                f"{stored[:8]}). {CURE}"
            )
        return path


CURE = "Put the file back, or run the suite again: with --fresh if the run is finished."
