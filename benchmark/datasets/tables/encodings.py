"""The encoding of a text file: by its byte order mark, by the suite, or a complaint that proposes one."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from benchmark.datasets.tables.raw_file import HEAD, open_bytes
from benchmark.errors import DataError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UNICODE = {
    "auto",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-32",
    "utf-16-le",
    "utf-16-be",
    "utf-32-le",
    "utf-32-be",
}
ONE_BYTE = ("latin-1", "cp1252", "cp1251", "iso8859-2", "koi8-r")
SEVERAL_BYTES = ("gb18030", "shift_jis", "big5", "euc_kr")
WORD = re.compile(rb"[^\s,;|\t\"]*[\x80-\xff][^\s,;|\t\"]*")
TYPOGRAPHY = "“”„‘’‚«»–—…€£©®°´¿¡№·"
BLOCK = 1 << 20
CONTROLS = bytes(range(0x80, 0xA0))
"""Bytes that are control characters in latin-1 and marks such as quotes in cp1252."""


def encoding_of(path: Path, given: str) -> str:
    """Return the codec to read a text file with; what it begins with counts before "auto".

    Raises:
        DataError: the file's mark contradicts what is given, or it is UTF-16 without a mark.
    """
    with open_bytes(path) as file:
        start = file.read(HEAD)
    marked = next((codec for mark, codec in MARKS if start.startswith(mark)), None)
    if marked:
        plain = codecs.lookup(given).name if given != "auto" else marked
        if plain.split("-")[:2] != marked.split("-")[:2]:
            raise DataError(
                f"{path}: begins with the byte order mark of {marked.removesuffix('-sig').upper()}, and the "
                f"suite says encoding: {given}; leave encoding out"
            )
        return marked
    if given == "auto" and b"\x00" in start:
        raise DataError(nul_bytes(path, start))
    return "utf-8" if given == "auto" else given


def nul_bytes(path: Path, start: bytes) -> str:
    """Return the complaint about a file that has bytes of zero, which no text in UTF-8 has."""
    even, odd = (start[first::2].count(0) for first in (0, 1))
    for codec, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros > 0.3 * len(start) / 2 and others < 0.1 * zeros:
            shown = start[: 2 * (len(start) // 2)].decode(codec, "replace").splitlines()[0][:40]
            return f"{path}: UTF-16 without a byte order mark; with encoding: {codec} it begins {shown!r}"
    at = start.index(0)
    return (
        f"{path}: byte {at + 1} is zero, which text does not have; it is damaged, or not text: give a "
        "CSV, TSV, JSON lines, Parquet, Feather or ORC file"
    )


@contextmanager
def open_text(path: Path, encoding: str, errors: str = "strict") -> Iterator[TextIO]:
    r"""Open a text file, compressed or not; lines keep their ends, of which \r alone is one.

    Raises:
        DataError: as :func:`open_bytes`.
    """
    with open_bytes(path) as file:
        yield io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")


def not_text(path: Path, encoding: str) -> DataError | None:
    """Return the complaint about the first bytes that are not text in an encoding, None if all are.

    It proposes the encodings in which the whole file is text, with what the word would read.
    """
    number, found = 0, None
    with open_bytes(path) as file:
        if encoding.startswith(("utf-16", "utf-32")):
            return undecodable(path, encoding)
        for number, line in enumerate(file, 1):  # noqa: B007 - the number of the line at fault is wanted
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                found = error
                break
    if found is None:
        return None
    line, byte = found.object, found.object[found.start]
    word = next((m[0] for m in WORD.finditer(line) if m.end() > found.start), line[:40])
    fits = [codec for codec in plausible(word, encoding) if reads_whole(path, codec)]
    utf8, other = lines_beyond_ascii(path) if encoding.startswith("utf-8") else (0, 0)
    if utf8 > other:
        return DataError(
            f"{path}:{number}: byte {byte:#04x} is not text in UTF-8, and {utf8} of {utf8 + other} lines "
            "with letters beyond ASCII are; the others are of another source: repair them, as one encoding "
            "for all would spoil the rest"
        )
    readings = dict.fromkeys(word.decode(codec) for codec in fits)
    proposals = [
        f"encoding: {next(codec for codec in fits if word.decode(codec) == reading)} reads {reading!r}"
        for reading in readings
    ]
    return DataError(
        f"{path}:{number}: byte {byte:#04x} is not text in {encoding.removesuffix('-sig').upper()}; "
        + (f"say which encoding it is: {', '.join(proposals[:4])}" if proposals else "the file is damaged")
    )


def lines_beyond_ascii(path: Path) -> tuple[int, int]:
    """Return how many lines with letters beyond ASCII are text in UTF-8, and how many are not."""
    counts = [0, 0]
    with open_bytes(path) as file:
        for line in file:
            if not line.isascii():
                try:
                    line.decode()
                    counts[0] += 1
                except UnicodeDecodeError:
                    counts[1] += 1
    return counts[0], counts[1]


def plausible(word: bytes, encoding: str) -> Iterator[str]:
    """Yield the encodings in which the bytes of a word above 127 are letters, or marks that texts have."""
    for codec in (*ONE_BYTE, *SEVERAL_BYTES):
        try:
            read = word.decode(codec)
        except UnicodeDecodeError:
            continue
        strange = [letter for letter in read if ord(letter) > 127]
        if codec != encoding and strange and all(one.isalpha() or one in TYPOGRAPHY for one in strange):
            yield codec


def undecodable(path: Path, encoding: str) -> DataError | None:
    """Return the complaint about a file that is not text in UTF-16 or UTF-32, None if it is."""
    if reads_whole(path, encoding):
        return None
    return DataError(f"{path}: damaged or cut off: not text in {encoding.upper()} to its end; copy it again")


def reads_whole(path: Path, encoding: str) -> bool:
    """Whether every byte of a file is text in an encoding; control characters of latin-1 are none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    controls = CONTROLS if codecs.lookup(encoding).name == "iso8859-1" else b""
    try:
        with open_bytes(path) as file:
            while block := file.read(BLOCK):
                if controls and len(block.translate(None, controls)) < len(block):
                    return False
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def misread(path: Path, encoding: str) -> str | None:
    """Return a warning if a file that the suite reads otherwise would be UTF-8 too, with letters of it.

    Raises:
        DataError: read as latin-1 it has control characters, which no text has.
    """
    if encoding in UNICODE:
        return None
    if not reads_whole(path, "utf-8"):
        if codecs.lookup(encoding).name == "iso8859-1" and not reads_whole(path, encoding):
            raise control_characters(path, encoding)
        return None
    with open_bytes(path) as file:
        for line in file:
            if word := WORD.search(line):
                read, utf8 = word[0].decode(encoding, "replace"), word[0].decode("utf-8", "replace")
                return (
                    f"{path}: encoding: {encoding} reads {read!r}, but the file is UTF-8 throughout, which "
                    f"reads {utf8!r}; leave encoding out unless {read!r} is meant"
                )
    return None


def control_characters(path: Path, encoding: str) -> DataError:
    """Return the complaint about the first line that has control characters when read as latin-1."""

    def has_controls(text: bytes) -> bool:
        return len(text.translate(None, CONTROLS)) < len(text)

    with open_bytes(path) as file:
        number, line = next((number, line) for number, line in enumerate(file, 1) if has_controls(line))
    word = next((m[0] for m in WORD.finditer(line) if has_controls(m[0])), line[:40])
    return DataError(
        f"{path}:{number}: {word.decode('latin-1')!r} has control characters when read with encoding: "
        f"{encoding}; encoding: cp1252 reads {word.decode('cp1252', 'replace')!r}, utf-8 "
        f"{word.decode('utf-8', 'replace')!r}: say which it is, or repair the line if it is of another source"
    )
