"""The suite that ``bench init`` writes: what is guessed and said, what is left open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Bench

from benchmark import api
from benchmark.datasets.tables import first_rows
from benchmark.errors import DataError, SuiteError
from benchmark.suite import Suite
from benchmark.suite.starting_suite import look_at

Start = Callable[[str, str], Suite]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Write a log and return the suite that is made for it; what was said is in ``said.txt``."""
    monkeypatch.chdir(tmp_path)

    def started(name: str, text: str) -> Suite:
        Path(name).write_text(text)
        said: list[str] = []
        suite = api.check(api.init(name, say=said.append))
        Path("said.txt").write_text("\n".join(said))
        return suite

    return started


def rows(*values: str, users: int = 12) -> str:
    """Lines of user, item, value and time; the values go round."""
    lines = [
        f"u{user},i{(user + item) % 10},{values[(user + item) % len(values)]},{17 * 10**8 + 60 * user + item}"
        for user in range(users)
        for item in range(8)
    ]
    return "\n".join(lines) + "\n"


def test_ratings_with_times_get_scale_and_split_and_likes_stay_open(start: Start) -> None:
    suite = start("my ratings.csv", "CustomerId,movie_id,stars,ordered_at\n" + rows("3.5", "5", "0.5"))
    (log,) = suite.datasets
    assert (suite.name, log.path) == ("my-ratings", "my ratings.csv")
    assert (log.user, log.item, log.value, log.time) == ("CustomerId", "movie_id", "stars", "ordered_at")
    assert (log.scale, suite.split.by, suite.prepare.positive) == ((0.5, 5.0), "user_time", None)
    assert {model.use.partition("/")[0] for model in suite.models} >= {"baselines", "native", "surprise"}
    said = Path("said.txt").read_text()
    assert "guessed user: column CustomerId, by its name" in said
    assert "guessed values: ratings, 3 different numbers from 0.5 to 5, so a scale of [0.5, 5]" in said
    assert "open: which rows are likes? prepare.positive" in said
    text = Path("my-ratings.yaml").read_text()
    assert '#   positive: ">= 4"' in text
    assert "#   seen: allow" in text
    assert "    # weight: " in text


def test_event_types_are_offered_as_likes_and_a_run_asks(start: Start, bench: Bench) -> None:
    suite = start("events.csv", "visitorid,itemid,event,timestamp\n" + rows("view", "view", "buy"))
    assert (suite.datasets[0].value, suite.datasets[0].scale) == ("event", None)
    assert "#   positive: [view]" in Path("events.yaml").read_text()
    code, _, said = bench("data", "check", "events.yaml")
    assert code == 2
    assert "positive" in said
    answer = ("--set", "prepare.positive=[buy]")
    assert bench("data", "check", "events.yaml", *answer)[0] == 0


def test_counts_and_zeros_are_no_scale(start: Start) -> None:
    counts = start("plays.csv", "user,artist,plays\n" + rows("1", "250", "12").replace(",17", ";17"))
    assert counts.datasets[0].value == "plays"
    assert counts.datasets[0].scale is None
    zeros = start("zeros.csv", "user,item,rating,time\n" + rows("0", "3", "5"))
    assert (zeros.datasets[0].value, zeros.datasets[0].scale) == ("rating", None)
    assert "what do those at or below 0 say?" in Path("said.txt").read_text()


def test_a_file_without_header_has_columns_by_number(start: Start) -> None:
    suite = start("u.data", rows("3", "5", "1").replace("u", "").replace("i", "").replace(",", "\t"))
    (log,) = suite.datasets
    assert (log.columns, log.user, log.item, log.value, log.time) == ((), "1", "2", "3", "4")
    assert log.scale == (1.0, 5.0)


def test_rows_alone_are_likes_and_are_split_at_random_and_repeats_are_said(start: Start) -> None:
    suite = start("clicks.csv", "a,b\n" + "u1,i1\n" * 2 + "".join(f"u{n},i{n % 7}\n" for n in range(38)))
    (log,) = suite.datasets
    assert (log.user, log.item, log.value, suite.split.by) == ("a", "b", None, "random")
    said = Path("said.txt").read_text()
    assert "guessed user: column a, by its place alone" in said
    assert "open: 5.0% of the rows repeat an earlier pair of user and item: prepare.duplicates" in said


def test_parquet_and_the_beginning_of_a_long_text_are_enough(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {"uid": range(60), "sku": range(60), "rating": [5.0, 1.0] * 30, "tags": [["a"]] * 60}
    )
    frame.to_parquet("log.parquet")
    said: list[str] = []
    suite = api.check(api.init("log.parquet", "made.yaml", say=said.append))
    assert (suite.datasets[0].item, suite.datasets[0].scale) == ("sku", (1.0, 5.0))
    monkeypatch.setattr(first_rows, "MOST_BYTES", 400)
    start("long.csv", "user,item,rating,time\n" + rows("4", "5", users=100))
    assert "from the first 1" in Path("said.txt").read_text()


def test_what_cannot_be_read_as_guessed_is_said_and_written_down(start: Start) -> None:
    start("dates.csv", "user,item,rating,day\n" + rows("4", "5").replace(",17", ",31.12.17"))
    said = Path("said.txt").read_text()
    assert "open: dates.csv:2: column 'day'" in said
    assert "# The log cannot be read like this yet:" in Path("dates.yaml").read_text()


def test_an_existing_file_is_never_overwritten(bench: Bench, start: Start, tmp_path: Path) -> None:
    start("log.csv", "user,item\n" + "".join(f"u{n},i{n % 7}\n" for n in range(38)))
    before = Path("log.yaml").read_text()
    code, _, said = bench("init", "log.csv")
    assert code == 2
    assert (
        said
        == "bench: log.yaml: is there already, and nothing is overwritten; name another with --out SUITE\n"
    )
    assert Path("log.yaml").read_text() == before
    (tmp_path / "sub").mkdir()
    assert bench("init", "log.csv", "--out", "sub/other.yaml")[0] == 0
    assert api.check("sub/other.yaml").datasets[0].path == "../log.csv"
    with pytest.raises(SuiteError, match=r"gone/a\.yaml: cannot be written \(No such file or directory\)"):
        api.init("log.csv", "gone/a.yaml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "log.csv: the file is empty"),
        ("user\n1\n", "log.csv: has 1 column"),
        (",".join(["u", *map(str, range(30))]) + "\n" + "1," * 30 + "1\n", "bench data melt"),
    ],
)
def test_what_is_no_log_is_refused_and_nothing_is_written(start: Start, text: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        start("log.csv", text)
    assert not Path("log.yaml").exists()


def test_a_folder_whose_columns_are_known_needs_no_guess(start: Start, tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("1\t2\t3\t881250949\n")
    with pytest.raises(
        DataError, match=r"write it into a suite as datasets: \[\{name: movielens-100k, path: "
    ):
        api.init("ml-100k")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1"], "yes and no"),
        (["True", "False"], "yes and no"),
        (["-1", "1"], "unclear"),
        (["1", "2", "3", "4", "5"], "ratings"),
    ],
)
def test_column_of_few_numbers_under_an_unknown_name_is_taken_for_the_value(
    tmp_path: Path, values: list[str], kind: str
) -> None:
    lines = [f"u{n % 20},i{n % 13},{values[n % len(values)]},w{n}" for n in range(120)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,verdict,note", *lines]) + "\n", encoding="utf-8")
    look = look_at(tmp_path / "log.csv", "log.csv")

    assert look.roles["value"].column == "verdict"
    assert look.value is not None
    assert look.value.kind == kind
    assert any("which rows are likes" in question for question in look.questions())


def test_columns_without_a_role_are_asked_about(tmp_path: Path) -> None:
    lines = [f"u{n % 20},i{n % 13},{n % 2},{n % 3}" for n in range(120)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,a,b", *lines]) + "\n", encoding="utf-8")
    look = look_at(tmp_path / "log.csv", "log.csv")

    assert "value" not in look.roles
    assert any("liked (a, b)? value" in question for question in look.questions())
