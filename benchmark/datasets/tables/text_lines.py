"""Lines and fields of a text file: one at a time for messages, in blocks and counted for Arrow."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np

from benchmark.datasets.tables.encodings import open_text
from benchmark.errors import DataError

UNIT_SEPARATOR = "\x1f"  # stands in for "::" where one character is wanted
LONGEST_LINE = 1 << 24
TAIL = 1 << 16
LINE_END = re.compile(rb"\r\n|\n|\r")
WHOLE_FIELD = re.compile(r'"(?:[^"]|"")*"|(?! *").*', re.DOTALL)


@dataclass(frozen=True)
class Dialect:
    """How the lines of one text file are cut, once its first line was looked at.

    Attributes:
        encoding: the codec.
        separator: one character; UNIT_SEPARATOR stands for two colons.
        quoted: whether double quotes enclose fields.
        multiline: whether a field in quotes may run over lines.
        comment: lines that begin with it are left out.
        aligned: whether several blanks are one separator.
        escaped: whether a backslash keeps a quote from ending its field.
        padded: whether blanks between a separator and a quote are left out.
        sparse: whether lines of blanks alone are left out, and the sign that ends a file of DOS.
    """

    encoding: str
    separator: str = ","
    quoted: bool = True
    multiline: bool = False
    comment: str | None = None
    aligned: bool = False
    escaped: bool = False
    padded: bool = False
    sparse: bool = False

    @property
    def rewrites(self) -> bool:
        """Whether Arrow is given other bytes than the file has."""
        return (
            self.comment is not None
            or self.aligned
            or self.escaped
            or self.padded
            or self.sparse
            or self.separator == UNIT_SEPARATOR
        )

    def fields(self, line: str) -> list[str] | None:
        """Return the fields of a line, quotes around them kept; None if the last quote is left open."""
        line = line.rstrip("\r\n")
        if self.separator == UNIT_SEPARATOR:
            line = line.replace("::", UNIT_SEPARATOR)
        if self.aligned:
            line = re.sub(" +", " ", line.strip(" "))
        if not (self.quoted and '"' in line):
            return line.split(self.separator)
        if self.escaped:
            line = line.replace('\\"', '""')
        if self.padded:
            line = without_padding(line, self.separator)
        found, at, field = [], 0, field_pattern(self.separator)
        while match := field.match(line, at):
            found.append(match[1])
            if not match[2]:
                return found
            at = match.end()
        return None


@cache
def field_pattern(separator: str) -> re.Pattern[str]:
    """Return the pattern of a field and the separator after it; what follows closed quotes belongs to it."""
    mark = re.escape(separator)
    return re.compile(rf'("(?:[^"]|"")*+"[^{mark}]*+|(?!")[^{mark}]*+)({mark}|\Z)', re.DOTALL)


def without_padding(text: str, separator: str) -> str:
    r"""Return lines without the blanks between quotes and the separators or ends of line around them.

    >>> without_padding('1, "a b" ,2', ",")
    '1,"a b",2'
    """
    mark = re.escape(separator)
    opened = re.sub(rf'(?m)(^|{mark}) +"', r'\1"', text)
    return re.sub(rf'(?m)" +({mark}|$)', r'"\1', opened)


def unquoted(field: str) -> str:
    """Return a field without the quotes around it.

    >>> unquoted('"5"" disk"'), unquoted("plain")
    ('5" disk', 'plain')
    """
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' else field


@dataclass(frozen=True)
class Record:
    """One line, or the lines that a field in quotes runs over.

    Attributes:
        line: number of its first line, from 1.
        text: without the line end.
        fields: None if a quote is left open.
    """

    line: int
    text: str
    fields: list[str] | None


def records(path: Path, dialect: Dialect, errors: str = "strict") -> Iterator[Record]:
    """Yield what a file has besides empty lines and comments, header included."""
    with open_text(path, dialect.encoding, errors) as file:
        lines = enumerate(limited(path, file), 1)
        for number, line in lines:
            plain = line.rstrip("\r\n")
            if not plain or (dialect.sparse and not plain.strip(" \t\x1a")):
                continue
            if dialect.comment and plain.startswith(dialect.comment):
                continue
            fields = dialect.fields(plain)
            if fields is None and dialect.multiline:
                pieces, size = [line], len(line)
                quotes = line.count('"')
                for _, more in lines:
                    pieces.append(more)
                    size, quotes = size + len(more), quotes + more.count('"')
                    if size > LONGEST_LINE:
                        break
                    if '"' in more and quotes % 2 == 0 and (fields := dialect.fields("".join(pieces))):
                        break
                plain = "".join(pieces).rstrip("\r\n")
            yield Record(number, plain, fields)


def limited(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of a file.

    Raises:
        DataError: one is longer than any row is.
    """
    while line := file.readline(LONGEST_LINE):
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            raise DataError(
                f"{path}: a line of over {LONGEST_LINE:,} characters; it must contain one line per row"
            )
        yield line


class BodyStream(io.RawIOBase):
    """The rows of a text file as Arrow reads them: in UTF-8, without header and comments, and counted.

    Attributes:
        lines: ends of lines so far; those of empty lines are left out but at the joints of blocks.
        hashes: lines that begin with #, though no comment was named.
        doubtful: whether a quote was seen that neither opens nor closes a field nor is doubled.
    """

    def __init__(self, file: BinaryIO, dialect: Dialect, header_lines: int) -> None:
        """Read from ``file``, after the lines of the header."""
        super().__init__()
        self.lines = 0
        self.doubtful = False
        self.hashes = 0
        self._file = file
        self._dialect = dialect
        self._skip = header_lines
        self._after_return = False
        self._last = b"\n"
        self._tail = b""
        self._rest = b""
        self._ended = False
        self._mark = codecs.BOM_UTF8 if dialect.encoding == "utf-8-sig" else b""
        plain = codecs.lookup(dialect.encoding).name in {"utf-8", "utf-8-sig"}
        self._decoder = None if plain else codecs.getincrementaldecoder(dialect.encoding)()

    def readable(self) -> bool:
        """Return true."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return about as many bytes as asked for; none only at the end."""
        size = size if size > 0 else 1 << 20
        while not self._ended:
            block = self._file.read(size)
            self._ended = not block
            block, self._mark = block.removeprefix(self._mark), b""
            if self._decoder:
                block = self._decoder.decode(block, self._ended).encode()
            if self._skip:
                block = self._without_header(self._rest + block)
            if self._dialect.rewrites and not self._skip:
                block = self._rewritten(self._rest + block)
            if block:
                self._count(block)
                return block
        if self._last not in b"\r\n":
            self.lines, self._last = self.lines + 1, b"\n"
        return b""

    def _without_header(self, block: bytes) -> bytes:
        """Return what follows the header; what may belong to it waits for more."""
        at = 0
        while self._skip and (found := LINE_END.search(block, at)):
            if found[0] == b"\r" and found.end() == len(block) and not self._ended:
                break
            at, self._skip = found.end(), self._skip - 1
        self._rest = block[at:] if self._skip else b""
        return b"" if self._skip else block[at:]

    def _rewritten(self, block: bytes) -> bytes:
        """Return whole lines as the dialect wants them; the piece of a line at the end waits for more."""
        cut = len(block) if self._ended else max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1)) + 1
        block, self._rest = block[:cut], block[cut:]
        dialect = self._dialect
        if dialect.comment or dialect.aligned or dialect.sparse or dialect.padded:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if dialect.comment:
            block = re.sub(rb"(?m)^" + re.escape(dialect.comment.encode()) + rb".*\n?", b"", block)
        if dialect.aligned:
            block = re.sub(rb"(?m)^ | $", b"", re.sub(rb" +", b" ", block))
        if dialect.sparse:
            block = re.sub(rb"(?m)^[ \t\x1a]+$", b"", block)
        if dialect.escaped:
            block = block.replace(b'\\"', b'""')
        if dialect.padded:
            text = block.decode("utf-8", "surrogateescape")
            block = without_padding(text, dialect.separator).encode("utf-8", "surrogateescape")
        if dialect.separator == UNIT_SEPARATOR:
            block = block.replace(b"::", UNIT_SEPARATOR.encode())
        return block

    def _count(self, block: bytes) -> None:
        """Count the ends of lines of a block, and look at its quotes."""
        # Several times as fast as counting bytes of bytes, and all of a large file goes through here.
        ends = np.frombuffer(block, dtype=np.uint8) == ord("\n")
        self.lines += int(np.count_nonzero(ends))
        if (ends[1:] & ends[:-1]).any() or (b"\r" in block and b"\n\r\n" in block):
            self.lines -= len(re.findall(rb"(?<=\n)\r?\n", block))
        if self._dialect.comment is None and b"#" in block:
            self.hashes += block.count(b"\n#") + (self._last in b"\r\n" and block.startswith(b"#"))
        if b"\r" in block:
            self.lines += block.count(b"\r") - block.count(b"\r\n")
        if self._last == b"\r" and block[:1] == b"\n":
            self.lines -= 1
        if self._dialect.quoted and not self.doubtful and b'"' in block:
            self.doubtful = self._has_doubtful_quote(block)
        self._last = block[-1:]
        self._tail = (self._tail if len(block) < TAIL else b"") + block[-TAIL:]

    @property
    def last_line(self) -> str:
        """The last line that was read, or its end if it is very long."""
        ended = self._tail[-TAIL:].decode("utf-8", "replace").rstrip("\r\n")
        return re.split("[\r\n]", ended)[-1]

    def _has_doubtful_quote(self, block: bytes) -> bool:
        """Whether a quote is beside neither a separator, nor an end of a line, nor another quote."""
        around = np.frombuffer(self._last + block + b"\n", dtype=np.uint8)
        usual = np.zeros(256, dtype=bool)
        usual[[ord(self._dialect.separator), ord("\n"), ord("\r"), ord('"')]] = True
        beside = usual[around]
        return bool(((around[1:-1] == ord('"')) & ~(beside[:-2] | beside[2:])).any())
