"""The board as Markdown, CSV, JSON, LaTeX and one HTML page; its figures."""

from benchmark.reporting.csv_json import as_csv, as_json
from benchmark.reporting.html import html
from benchmark.reporting.latex import latex
from benchmark.reporting.markdown import markdown
from benchmark.reporting.write import FORMATS, write_all, write_csvs

__all__ = ["FORMATS", "as_csv", "as_json", "html", "latex", "markdown", "write_all", "write_csvs"]
