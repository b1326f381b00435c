"""Tables in JSON lines: one object a line, its keys the columns."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmark.datasets.log import Say
from benchmark.datasets.tables.encodings import encoding_of, not_text, open_text
from benchmark.datasets.tables.header import require_columns
from benchmark.datasets.tables.raw_file import damaged, open_bytes
from benchmark.datasets.tables.text_format import MISSING, TextFormat
from benchmark.datasets.tables.text_lines import BodyStream, Dialect
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE = 1000
"""Objects whose keys are the columns, and whose values tell what is text."""
BLOCK = 1 << 24


@dataclass(frozen=True)
class JsonLines:
    """A file with one JSON object a line."""

    path: Path
    text_format: TextFormat

    @cached_property
    def encoding(self) -> str:
        """The codec."""
        return encoding_of(self.path, self.text_format.encoding)

    @cached_property
    def sample(self) -> list[Mapping[str, object]]:
        """The first objects.

        Raises:
            DataError: a line is no object.
        """
        return [found for _, found in islice(self.objects(), SAMPLE)]

    @property
    def names(self) -> list[str]:
        """Keys of the first objects."""
        return list(dict.fromkeys(key for one in self.sample for key in one))

    @property
    def types(self) -> dict[str, str]:
        """No types of RecBole's."""
        return {}

    def require(self, wanted: Sequence[str]) -> None:
        """Check that every wanted column is there.

        Raises:
            DataError: one is missing.
        """
        require_columns(self.path, wanted, self.names)

    def objects(self) -> Iterator[tuple[int, Mapping[str, object]]]:
        """Yield the number of each line and its object, nothing for empty lines.

        Raises:
            DataError: a line is no object.
        """
        try:
            with open_text(self.path, self.encoding) as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield number, self._object(number, line)
        except UnicodeError:
            raise not_text(self.path, self.encoding) or DataError(
                f"{self.path}: not text in {self.encoding}"
            ) from None

    def read(self, wanted: Sequence[str], as_written: Sequence[str], say: Say) -> pa.Table:
        """Return the wanted columns; text stays text, whatever it looks like.

        Raises:
            DataError: a line is no object, or a column is nested or of two kinds.
        """
        import pyarrow as pa
        from pyarrow import json as arrow

        del say
        texts = {name for name in wanted if any(isinstance(one.get(name), str) for one in self.sample)}
        with open_bytes(self.path) as file:
            stream = BodyStream(file, Dialect(self.encoding, quoted=False), 0)
            try:
                table = arrow.read_json(
                    cast("io.BytesIO", stream),
                    arrow.ReadOptions(block_size=BLOCK),
                    arrow.ParseOptions(explicit_schema=pa.schema([(name, pa.string()) for name in texts])),
                )
            except (pa.ArrowInvalid, UnicodeError) as error:
                raise self._fault(wanted, str(error)) from None
            except OSError as error:
                raise damaged(self.path, error) from error
        if table.num_rows != sum(1 for _ in self.objects()):
            raise DataError(
                f"{self.path}: not one object a line; write it so, for example: jq -c . OLD > NEW"
            )
        for name in wanted:
            kind = table.schema.field(name).type
            if pa.types.is_nested(kind) or (name in as_written and pa.types.is_boolean(kind)):
                raise DataError(
                    f"{self.path}: column {name!r} contains {kind}; it must contain numbers, text or dates"
                )
            if pa.types.is_floating(kind) and name in as_written:
                digits = self._digits(name)
                if digits is not None:
                    table = table.set_column(
                        table.schema.get_field_index(name), name, pa.chunked_array([digits])
                    )
        return table.select(list(wanted))

    def _object(self, number: int, line: str) -> Mapping[str, object]:
        """Return the object on a line.

        Raises:
            DataError: there is none.
        """
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            if number == 1 and line.lstrip().startswith("["):
                raise self._array() from None
            reason = str(error).split(":")[0]
            raise DataError(
                f"{self.path}:{number}: not a JSON object: {reason}; it must be one object a line"
            ) from None
        if isinstance(found, list):
            raise self._array()
        if not isinstance(found, dict):
            raise DataError(
                f"{self.path}:{number}: {line.strip()[:40]} is not a JSON object; write one a line"
            )
        return found

    def _array(self) -> DataError:
        return DataError(
            f"{self.path}: a JSON array; write one object a line, for example: jq -c '.[]' OLD > NEW"
        )

    def _fault(self, wanted: Sequence[str], reason: str) -> DataError:
        """Return the complaint about the first line that does not go with those before it."""
        kinds: dict[str, tuple[str, int]] = {}
        for number, one in self.objects():
            for name in wanted:
                value = one.get(name)
                if value is None or (isinstance(value, str) and value in MISSING):
                    continue
                kind = (
                    "a number"
                    if isinstance(value, int | float)
                    else "text"
                    if isinstance(value, str)
                    else "nested"
                )
                before, line = kinds.setdefault(name, (kind, number))
                if kind != before:
                    return DataError(
                        f"{self.path}:{number}: {name!r} is {json.dumps(value)[:40]}, which is "
                        f"{kind}, and {before} "
                        f"in line {line}; it must be of one kind: write it alike in every line"
                    )
                if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
                    return DataError(
                        f"{self.path}:{number}: {name!r} is {value}, over 64 bits; write it in "
                        "quotes, as text"
                    )
        first = reason.splitlines()[0]
        return DataError(
            f"{self.path}: not JSON lines: {first}; write one object a line, all with the same keys"
        )

    def _digits(self, name: str) -> pa.Array | None:
        """Return ids that Arrow read as floats with all their digits, as text; None if floats have them all.

        Raises:
            DataError: one has lost digits, as another row has a fraction.
        """
        import pyarrow as pa

        cells = [(number, one.get(name)) for number, one in self.objects()]
        long = [number for number, cell in cells if isinstance(cell, int) and abs(cell) > 1 << 53]
        if not long:
            return None
        if all(cell is None or isinstance(cell, int) for _, cell in cells):
            return pa.array([None if cell is None else str(cell) for _, cell in cells], pa.string())
        value = next(cell for number, cell in cells if number == long[0])
        raise DataError(
            f"{self.path}:{long[0]}: {name!r} is {value}, which is not exact beside a fraction; write ids in "
            "quotes, as text"
        )
