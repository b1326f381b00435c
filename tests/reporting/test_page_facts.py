"""What the page says of the packages that a run was made with, and how to install them again."""

from __future__ import annotations

from dataclasses import replace

import boards
from written_run import HARDWARE

from benchmark.leaderboard import RunOrigin
from benchmark.records import AdapterCode
from benchmark.reporting.page_facts import origin_facts, reproduction

VERSIONS = {
    "numpy": "2.4.6",
    "scikit-surprise": "1.1.5",
    "torch": "2.13.0+cpu",
    "recbole (environment recbole)": "1.2.1",
    "environment recbole": "Python 3.11.7, 0123456789ab",
}


def origin() -> RunOrigin:
    (made,) = boards.board().origins
    theirs = AdapterCode(
        source_sha256="1" * 64,
        versions={"their_module": "2.0"},
        package="their-models==1.2",
        packages={"their_module": "their-library==2.0"},
    )
    ours = AdapterCode(source_sha256="2" * 64, versions={})
    manifest = replace(
        made.manifest,
        hardware=replace(HARDWARE, versions=VERSIONS),
        adapters={"theirs/constant": theirs, "native/ease": ours},
    )
    return replace(made, manifest=manifest)


def test_command_to_install_again_names_distributions_that_an_index_has() -> None:
    assert reproduction(origin()).install == "pip install numpy==2.4.6 scikit-surprise==1.1.5 torch==2.13.0"


def test_packages_of_others_stand_on_the_page_with_their_versions() -> None:
    facts = dict(origin_facts(origin()))

    assert facts["packages of theirs/constant"] == "their-models==1.2, their-library==2.0"
    assert "packages of native/ease" not in facts
