"""Content hashes are promises: boards are compared and runs resumed by them, so none may change."""

from __future__ import annotations

import pytest

from benchmark.datasets.prepare.pipeline import prepare
from benchmark.datasets.sources.synthetic import synthetic_log
from benchmark.datasets.specs import CoreSpec, PrepareSpec, SplitSpec
from benchmark.datasets.split import split


def test_hashes_of_the_quickstart_split_stay_what_they_were():
    log = synthetic_log(users=300, items=200, interactions=9000, seed=7)
    manifest = split(prepare(log, PrepareSpec(positive=">= 4")), SplitSpec(seed=42)).manifest
    assert manifest.hash == "825ed4cc619b12318b7254ecd35918a0657e4ad65fa288955d261acc4a42c914"
    assert manifest.prepared_sha256 == "64cc07181fd8f9905c092c94c5ab5ab7d8cf0c37f322bdf9871916ae41b3f58b"
    assert manifest.features.sha256 == "50aaa5a8185bd9a4ac5fad8dc72ec6d503c9ae333097123f9d3f72e28aa95ae2"


@pytest.fixture(scope="module")
def log():
    """A log of 60 users, as read."""
    return synthetic_log(users=60, items=40, interactions=900, seed=3)


def test_hashes_of_a_k_fold_stay_what_they_were(log):
    prepared = prepare(log, PrepareSpec(positive=">= 3"))
    folds = [split(prepared, SplitSpec(by="k_fold", folds=3), fold).manifest for fold in range(3)]
    assert [fold.hash for fold in folds] == [
        "e16b759cf2fd67ca6e7ce6a4b39aae9d3ce063d61ef1206368b8a7b0526f6a89",
        "bf58bb25f331b678225cce9a84fa12322a2fa1f9cf7c0348cec9e26e9419b8af",
        "1308c3a4ce6822e0179fa4ddffe163c09e58e73d979c60a3f8a61c39f8d19ca5",
    ]
    assert {fold.prepared_sha256 for fold in folds} == {
        "b8e674386749816929792c237a75ab0fe5572f711f2fb91aaf47833da6cccdfb"
    }
    assert {fold.features.sha256 for fold in folds} == {
        "35733165335cc5b025db665003b52519b7ae43a6fa6202c790d8ad404c15cde4"
    }


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"by": "random", "per": "all"}, "36070deab128"),
        ({"by": "leave_last_out"}, "36993e0a0d5c"),
        ({"by": "leave_n_out", "n": 2, "order": "random"}, "7bc722a223af"),
        ({"by": "user_time"}, "03a70b4ffc6e"),
        ({"by": "global_time"}, "cbcacf9627ab"),
        ({"by": "global_time", "test_from": "30d"}, "289c446877b5"),
        ({"by": "rolling_time", "windows": 2}, "11a70b416dec"),
        ({"by": "rolling_time", "windows": 2, "window": "20d"}, "3e0ac31c8f0e"),
        ({"by": "cold_user"}, "e0849c694d00"),
        ({"by": "cold_item"}, "474d9e62e77c"),
    ],
)
def test_hash_of_every_rule_stays_what_it_was(log, rule, expected):
    prepared = prepare(log, PrepareSpec(positive=">= 3"))
    assert split(prepared, SplitSpec(**rule)).manifest.hash[:12] == expected


@pytest.mark.parametrize(
    ("rule", "expected"), [({"by": "random"}, "8aea5e1b21be"), ({"by": "global_time"}, "dded9b25dff2")]
)
def test_hash_of_a_k_core_stays_what_it_was(log, rule, expected):
    prepared = prepare(log, PrepareSpec(positive=">= 3", k_core=CoreSpec(user=6, item=12)))
    assert split(prepared, SplitSpec(**rule)).manifest.hash[:12] == expected
