"""Tables in text with separators: read by Arrow, rows compared with lines, faults named by their line."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmark.datasets.log import Say
from benchmark.datasets.tables.encodings import misread, not_text
from benchmark.datasets.tables.header import read_header, refuse_header, require_header
from benchmark.datasets.tables.raw_file import damaged, open_bytes
from benchmark.datasets.tables.text_format import MISSING, TextFormat
from benchmark.datasets.tables.text_lines import WHOLE_FIELD, BodyStream, Dialect, Record, records
from benchmark.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCKS = (1 << 20, 1 << 26, 1 << 30)
"""Bytes that Arrow parses at once; a line must fit into them."""
FIRST_LINES = 200_000
"""How many lines decide which key is proposed."""


@dataclass
class DelimitedFile:
    """A text file with separators; columns that were asked for settle which separator it has."""

    path: Path
    text_format: TextFormat

    def __post_init__(self) -> None:
        """Look at the first line."""
        self.header = read_header(self.path, self.text_format, ())

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return self.header.names

    @property
    def types(self) -> dict[str, str]:
        """RecBole's types of columns, by name; empty in other files."""
        return self.header.types

    def require(self, wanted: Sequence[str]) -> None:
        """Check that every wanted column is there.

        Raises:
            DataError: one is missing, or twice there; or the file is a matrix of users and items.
        """
        if not set(wanted) <= set(self.names):
            self.header = read_header(self.path, self.text_format, wanted)
        require_header(self.path, wanted, self.header)
        if not self.text_format.has_header:
            refuse_header(self.path, wanted, self.header)

    def read(self, wanted: Sequence[str], as_written: Sequence[str], say: Say) -> pa.Table:
        """Return the wanted columns; those ``as_written`` as categories of text.

        Raises:
            DataError: it is not text in its encoding, or not a table; a field in quotes runs over lines.
        """
        dialect = self.header.dialect
        if warning := misread(self.path, dialect.encoding):
            say(warning)
        try:
            return self._parsed(dialect, wanted, as_written, say)
        except UnsuitableError:
            for other, what in alternatives(dialect):
                try:
                    table = self._parsed(other, wanted, as_written, say)
                except UnsuitableError:
                    continue
                if what:
                    say(f"{self.path}: {what}")
                return table
            raise self._fault(dialect) from None

    def _parsed(
        self, dialect: Dialect, wanted: Sequence[str], as_written: Sequence[str], say: Say
    ) -> pa.Table:
        """Return the wanted columns as Arrow reads them.

        Raises:
            UnsuitableError: they cannot be read so; the lines of the file tell why.
        """
        import pyarrow as pa

        table, stream = self._by_arrow(dialect, wanted, as_written)
        times = [field.name for field in table.schema if pa.types.is_time(field.type)]
        if times:  # hours without a day are not a moment
            table, stream = self._by_arrow(dialect, wanted, [*as_written, *times])
        if any(pa.types.is_binary(field.type) for field in table.schema):
            raise UnsuitableError
        if stream.lines != table.num_rows:
            if self._rows_if(dialect, most=None) != table.num_rows:
                raise UnsuitableError
            if dialect.multiline:
                say(
                    f"{self.path}: {stream.lines} lines make {table.num_rows} rows; fields in quotes "
                    "run over lines"
                )
        left_open = dialect.quoted and dialect.fields(stream.last_line) is None
        if left_open and not (dialect.multiline and self._rows_if(dialect, most=None) == table.num_rows):
            raise UnsuitableError
        if 0 < stream.hashes < table.num_rows:  # all of them are ids such as #1001
            say(
                f"{self.path}: {stream.hashes} lines begin with '#' and are read as rows; say "
                "comment: '#' if they are comments"
            )
        if stream.doubtful:
            self._refuse_open_quotes(dialect, wanted)
        return table

    def _by_arrow(
        self, dialect: Dialect, wanted: Sequence[str], as_written: Sequence[str]
    ) -> tuple[pa.Table, BodyStream]:
        """Return the wanted columns, and the stream that they came from.

        Raises:
            UnsuitableError: Arrow refuses the file.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow

        text = pa.dictionary(pa.int32(), pa.string())
        for block in BLOCKS:
            with open_bytes(self.path) as file:
                stream = BodyStream(file, dialect, self.header.lines)
                try:
                    table = arrow.read_csv(
                        cast("io.BytesIO", stream),
                        arrow.ReadOptions(column_names=self.names, block_size=block),
                        arrow.ParseOptions(
                            delimiter=dialect.separator,
                            quote_char='"' if dialect.quoted else False,
                            newlines_in_values=dialect.multiline and dialect.quoted,
                        ),
                        arrow.ConvertOptions(
                            include_columns=list(wanted),
                            column_types=dict.fromkeys(as_written, text),
                            null_values=[*MISSING, *self.text_format.missing_values],
                            strings_can_be_null=False,
                            decimal_point=self.text_format.decimal,
                        ),
                    )
                except (pa.ArrowInvalid, UnicodeError) as error:
                    if "Empty CSV" in str(error):
                        return pa.table({name: pa.nulls(0) for name in wanted}), stream
                    if "straddl" in str(error) and block != BLOCKS[-1]:
                        continue
                    raise UnsuitableError from error
                except OSError as error:
                    raise damaged(self.path, error) from error
                return table, stream
        raise UnsuitableError

    def _refuse_open_quotes(self, dialect: Dialect, wanted: Sequence[str]) -> None:
        r"""Check that no wanted field goes on after the quote that closes it.

        Raises:
            UnsuitableError: one does, and a backslash or blanks around the quotes may be why.
            DataError: one does.
        """
        columns = [(self.names.index(name), name) for name in wanted]
        for record in records(self.path, dialect, "replace"):
            fields = record.fields or []
            for column, name in columns:
                if column < len(fields) and not WHOLE_FIELD.fullmatch(fields[column]):
                    if not (dialect.escaped or dialect.padded) and re.search(r'^ |" +$|\\', fields[column]):
                        raise UnsuitableError
                    raise DataError(
                        f"{self.path}:{record.line}: column {name!r} has {fields[column][:60]}, which "
                        "goes on "
                        "after its closing quote; a quote within a field in quotes must be doubled: correct "
                        "it, or say quoted: false if quotes are characters"
                    )

    def _fault(self, dialect: Dialect) -> DataError:
        """Return the complaint about the first line that cannot be read, with the key that cures it."""
        if complaint := not_text(self.path, dialect.encoding):
            return complaint
        width = len(self.names)
        records_here = records(self.path, dialect, "replace")
        for record in islice(records_here, int(self.text_format.has_header), None):
            if record.fields is None:
                return self._runs_over(dialect, record)
            if len(record.fields) != width:
                return self._ragged(dialect, record, width)
        return DataError(
            f"{self.path}: not a table of {width} columns; give a file with one line per row, all with the "
            "same columns"
        )

    def _runs_over(self, dialect: Dialect, record: Record) -> DataError:
        """Return the complaint about a field in quotes that does not end on its line."""
        cures = []
        if rows := self._rows_if(replace(dialect, quoted=False)):
            cures.append(f"quoted: false takes quotes as characters ({rows} rows)")
        if not dialect.multiline and (rows := self._rows_if(replace(dialect, multiline=True))):
            cures.append(f"multiline: true reads on to the closing quote ({rows} rows)")
        where, begins = f"{self.path}:{record.line}", shortened(record.text)
        if not cures:
            return DataError(f"{where}: a quoted field is not closed: {begins}; correct the line")
        return DataError(
            f"{where}: a quoted field runs over lines: {begins}; correct the line, or say which is meant: "
            f"{'; '.join(cures)}"
        )

    def _ragged(self, dialect: Dialect, record: Record, width: int) -> DataError:
        """Return the complaint about a line with more or fewer fields than there are columns."""
        saw = len(record.fields or [])
        cure = "put fields that contain the separator in quotes, or name another separator"
        if not dialect.quoted and self._rows_if(replace(dialect, quoted=True)):
            cure = "without quoted: false every line fits"
        elif dialect.comment is None and record.text.lstrip()[:1] in {"#", "%"}:
            mark = record.text.lstrip()[:1]
            cure = f"if it is a comment, say comment: {mark!r}"
        elif saw < width:
            cure = "a line may be cut off, or not be a row: complete or remove it"
        elif saw == width + 1 and record.text.endswith(dialect.separator):
            cure = "remove the separator at the end of lines, or name a column for it"
        elif dialect.separator == "," and re.search(r"(?:^|,)\d+,\d+(?:,|$)", record.text):
            cure += "; a decimal comma needs another separator than the comma, or quotes around the number"
        return DataError(
            f"{self.path}:{record.line}: not the same number of columns in every line: Expected "
            f"{width} fields in line {record.line}, saw {saw}: {shortened(record.text)}; {cure}"
        )

    def _rows_if(self, dialect: Dialect, most: int | None = FIRST_LINES) -> int:
        """Return how many rows the first lines make in a dialect, 0 if they do not all have every column."""
        width, rows = len(self.names), 0
        try:
            for record in islice(records(self.path, dialect, "replace"), most):
                if record.fields is None or len(record.fields) != width:
                    return 0
                rows += 1
        except DataError:
            return 0
        return rows - self.text_format.has_header


class UnsuitableError(Exception):
    """A file cannot be read in one dialect; perhaps in another."""


def alternatives(dialect: Dialect) -> list[tuple[Dialect, str]]:
    """Return the dialects to try next, and what is said if one fits the whole file."""
    others = [(replace(dialect, sparse=True), "")]
    if dialect.separator == " " and not dialect.aligned:
        others.append((replace(dialect, aligned=True), "several blanks are one separator"))
    if dialect.quoted:
        others.append((replace(dialect, escaped=True), r"\" read as a quote within a field in quotes"))
        others.append((replace(dialect, padded=True), "blanks between separators and quotes left out"))
    return others


def shortened(text: str) -> str:
    """Return the beginning of a line, in quotes.

    >>> shortened("short")
    "'short'"
    """
    line = text.splitlines()[0] if text else ""
    return repr(line if len(line) <= 60 else f"{line[:60]}...")
