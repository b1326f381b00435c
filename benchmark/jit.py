"""Compile functions with numba, or load them from its cache on disk; adapters use it too."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from numba import njit  # noqa: TID251 - the one place

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(signature: Any, fastmath: Collection[str] = ()) -> Callable[[Function], Function]:
    """Return a decorator that compiles for these types, or loads what an earlier import compiled.

    The function releases the interpreter's lock.

    Args:
        signature: numba's, as text or types; known at import, so that nothing compiles on the clock.
        fastmath: what may be relaxed in floating point, such as "reassoc" for sums in any order.
    """

    def decorate(function: Function) -> Function:
        options = {"nogil": True, "fastmath": set(fastmath)}
        try:
            made: Function = njit(signature, cache=True, **options)(function)
        except RuntimeError:  # nothing may be written, neither beside the file nor in the user's cache
            made = njit(signature, **options)(function)
        return made

    return decorate


def part(function: Function) -> Function:
    """Return a function that is compiled, and cached, as part of the compiled functions that call it."""
    made: Function = njit(nogil=True)(function)
    return made
