"""The board as terminal, markdown, CSV and JSON."""

from benchmark.reporting.files import FORMATS, write_all
from benchmark.reporting.markdown import markdown
from benchmark.reporting.tabular import as_csv, as_json
from benchmark.reporting.terminal import show

__all__ = ["FORMATS", "as_csv", "as_json", "markdown", "show", "write_all"]
