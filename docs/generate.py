"""Builds the documentation: ``python docs/generate.py``, or ``make docs``, which installs what it needs.

The pages in ``docs/`` and a few of the repository's own are copied to ``build/docs``. A line such as
``<!-- generated: metrics ranking -->`` is replaced by what the code says today, so nothing generated is
committed and nothing goes stale. Then Zensical builds ``build/site``; a warning of any kind is an error.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

from benchmark import api
from benchmark.hyperparameters import OneOf
from benchmark.registry import Adapter
from benchmark.results.reference import ReferenceBoard, reference_boards

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STAGED = ROOT / "build" / "docs"
FROM_ROOT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "results/README.md": "results.md",
}
"""Pages of the repository that are pages of the site too, and what they are called there."""
MARKER = re.compile(r"^<!-- generated: (.+?) -->$", re.MULTILINE)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
COMPLAINTS = ("griffe", "mkdocstrings", "WARNING", "ERROR", "Warning", "Error")
"""How a line of the build's output begins that reports something wrong, though the build itself goes on."""


def pages() -> dict[str, Path]:
    """Return the source of every page of the site, by its path there."""
    own = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
    return own | {target: ROOT / source for source, target in FROM_ROOT.items()}


def rendered(name: str, source: Path) -> str:
    """Return a page as the site needs it: generated parts filled in, links to other pages of the site."""
    text = MARKER.sub(lambda found: generated(found[1]), source.read_text("utf-8"))
    targets = {path.resolve(): target for target, path in pages().items()}

    def resolved(found: re.Match[str]) -> str:
        image, label, link = found.groups()
        path, hash_mark, anchor = link.partition("#")
        file = (source.parent / path).resolve()
        if "://" in link or not path or not file.exists():
            return found[0]  # what leads nowhere is left for the build to complain about
        if file in targets:
            there = os.path.relpath(targets[file], Path(name).parent)
        elif image:
            there = os.path.relpath(file.relative_to(DOCS), Path(name).parent)
        else:  # a file of the repository that is no page: its name says where it is
            return label
        return f"{image}[{label}]({there}{hash_mark}{anchor})"

    return LINK.sub(resolved, text)


def generated(what: str) -> str:
    """Return the Markdown that a marker asks for: the name of a generator, then its arguments.

    Raises:
        KeyError: there is no such generator.
    """
    name, *arguments = what.split()
    return GENERATORS[name](*arguments).strip()


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Return text whose bars end no cell; inside code they do not."""
    pieces = text.split("`")
    return "`".join(piece if at % 2 else piece.replace("|", "&#124;") for at, piece in enumerate(pieces))


def code(text: object) -> str:
    """Return text as inline code, nothing for nothing."""
    return f"`{text}`" if str(text) else ""


# --- metrics


def metrics(kind: str) -> str:
    """Return the table of all metrics of a kind; of those about lists, which have a value for each user."""
    from benchmark.metrics.register import registered

    rows = []
    for entry in registered().values():
        if entry.kind == kind:
            per_user = ", *per user*" if kind == "catalogue" and entry.per_user else ""
            rows.append(
                (code(entry.label), entry.formula + per_user, entry.better, entry.limits, entry.source)
            )
    return table(("metric", "value", "better", "range", "source"), rows)


# --- suites


def suites() -> str:
    """Return every suite that ships, with its own words."""
    rows = []
    for path in sorted((ROOT / "suites").glob("*.yaml")):
        lines = path.read_text("utf-8").splitlines()
        words = [line.removeprefix("#").strip() for line in lines[: lines.index(f"name: {path.stem}")]]
        rows.append((code(path.stem), " ".join(words)))
    return table(("suite", "what it does"), rows)


def suite_reference() -> str:
    """Return every key that a suite may have, section by section, from the schema of suites."""
    from benchmark.suite import Suite

    schema = Suite.model_json_schema()
    sections = _sections(schema)
    parts = [_section("A suite", "suite", schema, sections)]
    for name, keys in sections.items():
        title = ", ".join(map(code, keys))
        parts.append(_section(title, _anchor(keys), schema["$defs"][name], sections))
    return "\n\n".join(parts)


def _sections(schema: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the keys that lead to each section of the schema, in the order in which they are met."""
    keys: dict[str, list[str]] = {}

    def visit(path: str, section: Mapping[str, Any]) -> None:
        for key, field in section.get("properties", {}).items():
            for name, ending in _references(field):
                here = f"{path}{key}{ending}"
                new = name not in keys
                keys.setdefault(name, []).append(here)
                if new:
                    visit(f"{here}.", schema["$defs"][name])

    visit("", schema)
    return keys


def _references(field: Mapping[str, Any], ending: str = "") -> Iterator[tuple[str, str]]:
    """Yield the sections that a field holds, and how a key continues to get there."""
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2], ending
    for option in [*field.get("anyOf", ()), *field.get("oneOf", ())]:
        yield from _references(option, ending)
    if "items" in field:
        yield from _references(field["items"], f"{ending}[]")
    if isinstance(field.get("additionalProperties"), dict):
        yield from _references(field["additionalProperties"], f"{ending}.NAME")


def _anchor(keys: Sequence[str]) -> str:
    return re.sub(r"\W+", "-", keys[0]).strip("-").lower()


def _section(title: str, anchor: str, schema: Mapping[str, Any], sections: Mapping[str, list[str]]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            code(key),
            _kind(field, sections) + _bounds(field),
            "required" if key in required else _default(field),
            field.get("description", ""),
        )
        for key, field in schema["properties"].items()
    ]
    head = f"## {title} {{#{anchor}}}\n\n{schema.get('description', '')}\n\n"
    return head + table(("key", "value", "default", "meaning"), rows)


KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list of: ",
    "object": "map of names to: ",
}


def _kind(field: Mapping[str, Any], sections: Mapping[str, list[str]]) -> str:
    """Return in words what a field may hold."""
    if "$ref" in field:
        keys = sections[field["$ref"].rpartition("/")[2]]
        return f"[section](#{_anchor(keys)})"
    if options := [*field.get("anyOf", ()), *field.get("oneOf", ())]:
        kinds = [_kind(one, sections) + _bounds(one) for one in options if one.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in field or "const" in field:
        return ", ".join(code(_written(option)) for option in field.get("enum", [field.get("const")]))
    if "prefixItems" in field:
        return f"[{', '.join(_kind(item, sections) for item in field['prefixItems'])}]"
    inner = field.get("items") or field.get("additionalProperties")
    return KINDS[field["type"]] + (_kind(inner, sections) if inner else "")


BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _bounds(field: Mapping[str, Any]) -> str:
    return "".join(f", {sign} {field[name]:g}" for name, sign in BOUNDS.items() if name in field)


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "" if default in (None, "", [], {}) or "$ref" in field else code(_written(default))


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("\t", "\\t") if text.strip() or not text else f'"{text}"'.replace("\t", "\\t")


# --- models


def models() -> str:
    """Return every model: library by library a table, then each one in full."""
    by_library: dict[str, list[Adapter]] = {}
    for adapter in api.models():
        by_library.setdefault(adapter.library, []).append(adapter)
    parts = []
    for library, adapters in sorted(by_library.items()):
        adapters.sort(key=lambda adapter: adapter.name)
        rows = [_summary(adapter) for adapter in adapters]
        overview = table(("model", "learns from", "predicts", "runs on", "tunes"), rows)
        parts += [f"## {library}\n\n{overview}", *map(_model, adapters)]
    return "\n\n".join(parts)


def _slug(adapter: Adapter) -> str:
    return adapter.name.replace("/", "-")


def _summary(adapter: Adapter) -> tuple[str, ...]:
    own = adapter.traits
    return (
        f"[{adapter.name}](#{_slug(adapter)})",
        "likes" if own.feedback == "implicit" else "ratings",
        "ranking, ratings" if own.rates else "ranking",
        ", ".join(own.devices),
        ", ".join(map(code, own.space)) or "nothing",
    )


def _model(adapter: Adapter) -> str:
    """Return one model in full: docstring, hyperparameters, traits, and what committed boards say of it."""
    from benchmark.cli.views.models import docstring

    own = adapter.traits
    parts = [f"### {adapter.name} {{#{_slug(adapter)}}}", docstring(adapter.cls)]
    words = {name: f"not tuned: {limit}" for name, limit in own.limits.items() if isinstance(limit, OneOf)}
    tuned = words | {name: str(domain) for name, domain in own.space.items()}
    fields = [
        (code(name), code(value), str(own.published.get(name, "")), tuned.get(name, "not tuned"))
        for name, value in adapter.defaults.items()
    ]
    if fields:
        parts.append(table(("hyperparameter", "default", "published best", "tuned within"), fields))
    traits = [
        f"needs {', '.join(own.requires)}" if own.requires else "needs no library of its own",
        f"needs features of {' or '.join(own.needs_features)}" if own.needs_features else "",
        "needs a knowledge graph of the items" if own.needs_graph else "",
        "needs a log whose items come again" if own.needs_repeats else "",
        f"uses {' and '.join(own.uses)} where a suite names them" if own.uses else "",
        f"scores cold {' and '.join(own.from_features)} from features" if own.from_features else "",
        "scores cold items from the graph" if own.from_graph else "",
        "serves new users from their history" if own.folds_in else "",
        "adds newer items to a known user's history" if own.keeps_histories else "",
        "says why" if own.explains else "",
        "knows items alike" if own.finds_similar else "",
        "yields within a pass" if own.streams else "",
        "deterministic" if own.deterministic else "depends on its seed",
        "can be exported as a bundle" if own.keeps_state else "cannot be exported as a bundle",
    ]
    parts.append("; ".join(filter(None, traits)).capitalize() + ".")
    return "\n\n".join([*parts, *_evidence(adapter)])


def serving() -> str:
    """Return which models offer what where they are served."""
    offers = {
        "`--why`": "explains",
        "`--similar-to`": "finds_similar",
        "`--history` of a new user": "folds_in",
        "`--history` of a known user, added to that of training": "keeps_histories",
    }
    rows = []
    for title, trait in offers.items():
        names = sorted(one.name for one in api.models() if getattr(one.traits, trait))
        rows.append((title, ", ".join(map(code, names))))
    return table(("option", "models"), rows)


def streaming() -> str:
    """Return which models yield within a pass, library by library."""
    by_library: dict[str, list[str]] = {}
    for adapter in api.models():
        if adapter.traits.streams:
            by_library.setdefault(adapter.library, []).append(code(adapter.name))
    return table(
        ("library", "models"), [(name, ", ".join(sorted(by_library[name]))) for name in sorted(by_library)]
    )


@cache
def _boards() -> list[ReferenceBoard]:
    return reference_boards()


def _evidence(adapter: Adapter) -> Iterator[str]:
    rows = [
        (
            board.name,
            row.dataset,
            f"{row.rank} of {board.ranked(row.dataset)}",
            f"{board.primary} {row.value:.4f} ({row.interval})",
        )
        for board in _boards()
        for row in board.rows_of(adapter.name)
    ]
    if rows:
        yield table(("committed board", "data set", "rank", "value"), rows)


# --- boards


def board(name: str) -> str:
    """Return the main columns of a committed board."""
    (found,) = [one for one in _boards() if one.name == name]
    others = [metric for metric in found.suite.metrics.also if found.rows[0].metrics[metric] is not None][:2]
    rows = [
        (
            str(row.rank),
            row.model + (" (reference)" if row.is_reference else ""),
            f"{row.value:.4f}",
            row.interval,
            "•" if row.best_set else "",
            *(_decimal(row.metrics[metric]) for metric in others),
            str(row.trials),
        )
        for row in found.rows
        if row.status == "ok"
    ]
    return table(("#", "model", found.primary, "95 % interval", "best set", *others, "trials"), rows)


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


# --- the command line


def commands() -> str:
    """Return the help of every command."""
    from benchmark.cli import COMMANDS

    os.environ["COLUMNS"] = "100"
    return "\n\n".join(f"## bench {name}\n\n```text\n{_help(name)}```" for name in COMMANDS)


def _help(name: str) -> str:
    from benchmark.cli import main

    text = StringIO()
    with redirect_stdout(text), suppress(SystemExit):
        main([name, "--help"])
    return text.getvalue()


GENERATORS: dict[str, Callable[..., str]] = {
    "board": board,
    "commands": commands,
    "metrics": metrics,
    "models": models,
    "serving": serving,
    "streaming": streaming,
    "suite-reference": suite_reference,
    "suites": suites,
}


def build() -> None:
    """Write the pages to ``build/docs`` and the site to ``build/site``; leave with 1 on any warning."""
    shutil.rmtree(STAGED, ignore_errors=True)
    for name, source in pages().items():
        target = STAGED / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rendered(name, source), encoding="utf-8")
    shutil.copytree(DOCS / "img", STAGED / "img")
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    sys.stdout.write(done.stdout)
    if done.returncode or any(line.startswith(COMPLAINTS) for line in done.stdout.splitlines()):
        sys.exit("the documentation has warnings; every one is an error")


if __name__ == "__main__":
    build()
