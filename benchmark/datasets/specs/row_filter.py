"""Which rows of a file belong to a log: a small language of comparisons, read without eval.

    event == "purchase" and (price > 3 or not country in ["de", "at"])

A column is a word, or anything in backticks; what it is compared with is text in quotes, a number, true or
false. An empty entry is "".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Constant: TypeAlias = str | int | float | bool
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in"]

TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<column>`[^`]+`)
    |(?P<word>[^\W\d]\w*(?:\.\w+)*)
    |(?P<mark>==|!=|<=|>=|<|>|\(|\)|\[|\]|,))""",
    re.VERBOSE,
)
KEYWORDS = {"and", "or", "not", "in", "true", "false"}
DEEPEST = 40


@dataclass(frozen=True)
class ColumnComparison:
    """A column compared with one constant, or with several that are all of one kind."""

    column: str
    operator: Operator
    constants: tuple[Constant, ...]


@dataclass(frozen=True)
class Negation:
    """The rows that a condition leaves out."""

    condition: RowCondition


@dataclass(frozen=True)
class Junction:
    """Several conditions joined by one word."""

    word: Literal["and", "or"]
    conditions: tuple[RowCondition, ...]


RowCondition: TypeAlias = ColumnComparison | Negation | Junction


def comparisons(condition: RowCondition) -> Iterator[ColumnComparison]:
    """Yield every comparison of a condition, in the order in which they are written."""
    if isinstance(condition, ColumnComparison):
        yield condition
        return
    inner = (condition.condition,) if isinstance(condition, Negation) else condition.conditions
    for one in inner:
        yield from comparisons(one)


def parse_rows(text: str) -> RowCondition:
    """Return the condition that a suite writes.

    >>> parse_rows('event in ["buy", "cart"] and price >= 3').conditions[0].constants
    ('buy', 'cart')

    Raises:
        ValueError: it is not a condition; the message says where.
    """
    return _Parser(text).condition()


class _Parser:
    """Reads one condition from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        self._at = 0
        position = 0
        while position < len(text.rstrip()):
            found = TOKEN.match(text, position)
            if not found or not found.lastgroup:
                raise self._wrong(f"does not continue at {text[position:].strip()[:20]!r}")
            self._tokens.append((found.lastgroup, found[found.lastgroup]))
            position = found.end()

    def condition(self) -> RowCondition:
        """Return what the whole text says."""
        found = self._any(0)
        if self._at < len(self._tokens):
            raise self._wrong(f"does not continue at {self._next()!r}")
        return found

    def _wrong(self, what: str) -> ValueError:
        return ValueError(
            f"is {self._text!r}, which {what}; it must compare columns, as in 'event == \"purchase\"', "
            "'stars >= 4', 'event in [\"buy\", \"cart\"]', joined by and, or, not; text stands in quotes, a "
            "column that is not a word in `backticks`"
        )

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, *expected: str) -> bool:
        if self._next() in expected:
            self._at += 1
            return True
        return False

    def _any(self, depth: int) -> RowCondition:
        parts = [self._all(depth)]
        while self._take("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _all(self, depth: int) -> RowCondition:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _one(self, depth: int) -> RowCondition:
        if depth > DEEPEST:
            raise self._wrong("is nested too deeply")
        if self._take("not"):
            return Negation(self._one(depth + 1))
        if self._take("("):
            found = self._any(depth + 1)
            if not self._take(")"):
                raise self._wrong("lacks a closing bracket")
            return found
        return self._comparison()

    def _comparison(self) -> RowCondition:
        kind, column = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        if kind not in {"word", "column"} or column in KEYWORDS:
            raise self._wrong(f"has {column!r} where a column is wanted" if column else "ends too early")
        self._at += 1
        column = column.strip("`")
        negated = self._take("not")
        if self._take("in"):
            inside = ColumnComparison(column, "in", self._list())
            return Negation(inside) if negated else inside
        for operator in ("==", "!=", "<=", ">=", "<", ">"):
            if not negated and self._take(operator):
                return ColumnComparison(column, operator, (self._constant(),))
        raise self._wrong(f"says nothing of column {column!r}")

    def _list(self) -> tuple[Constant, ...]:
        if not self._take("["):
            raise self._wrong("lacks a list in [...] after in")
        constants = [self._constant()]
        while self._take(","):
            constants.append(self._constant())
        if not self._take("]"):
            raise self._wrong("lacks a closing ]")
        kinds = {float if type(one) is int else type(one) for one in constants}
        if len(kinds) > 1:
            raise self._wrong("has text and numbers in one list")
        return tuple(constants)

    def _constant(self) -> Constant:
        kind, written = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        self._at += 1
        if kind == "text":
            return written[1:-1]
        if kind == "number":
            return int(written) if re.fullmatch(r"[-+]?\d+", written) else float(written)
        if written in {"true", "false"}:
            return written == "true"
        if kind == "word":
            raise self._wrong(f'compares with the word {written}: put text in quotes, "{written}"')
        raise self._wrong("lacks what a column is compared with")
