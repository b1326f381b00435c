"""What differs between two runs though their suites say the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark.records import AdapterCode
from benchmark.results import RunManifest
from benchmark.results.directory import FORMAT
from benchmark.results.run_changes import foundation_changes

CODE = AdapterCode(source_sha256="1" * 64, versions={"surprise": "1.1.5"})


def manifest(code: AdapterCode) -> RunManifest:
    return RunManifest(
        format=FORMAT,
        suite="shop",
        suite_hash="ff",
        started="2026-12-01T10:00:00+00:00",
        state="finished",
        adapters={"surprise/svd": code},
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (CODE, []),
        (replace(CODE, packages={"surprise": "scikit-surprise==1.1.5"}), []),
        (replace(CODE, source_sha256="2" * 64), ["code of surprise/svd"]),
        (replace(CODE, versions={"surprise": "1.1.6"}), ["code of surprise/svd"]),
    ],
)
def test_code_differs_by_its_text_and_its_libraries_not_by_how_a_run_describes_them(
    changed: AdapterCode, expected: list[str]
) -> None:
    assert list(foundation_changes(manifest(CODE), manifest(changed), same_rows=True)) == expected
