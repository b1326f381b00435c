"""What a restored model raises, in words that name the model and what must hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.bundle.format import Files
from benchmark.errors import AdapterError, BundleError, MissingLibrary


@contextmanager
def model_errors(files: Files, method: str) -> Iterator[None]:
    """Turn what the model of a bundle raises when ``method`` is called into an error of ours.

    Raises:
        MissingLibrary: it imports what is not installed.
        BundleError: an array does not fit the catalogue or another array.
        AdapterError: anything else: it misses what it had when it was trained.
    """
    adapter = files.manifest.origin.adapter
    try:
        yield
    except ImportError as error:
        raise MissingLibrary(f"{files.path}: {adapter} needs {error.name}, which is not installed") from error
    except (ValueError, IndexError, RuntimeError) as error:
        raise BundleError(f"{files.path}: {adapter} cannot {method}: {error}") from error
    except Exception as error:
        raise AdapterError(
            f"{adapter}: a model restored from state() cannot {method}: {type(error).__name__}: {error}; "
            f"state() must hold every array that {method} needs"
        ) from error
