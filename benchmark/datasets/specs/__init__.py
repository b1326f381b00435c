"""What a suite may say about data: where a log is, how it is prepared and how it is split.

Nothing but pydantic is imported here, so that reading a suite stays light.
"""

from benchmark.datasets.specs.base_spec import MOST_SEED, MOST_SPLITS, Separator, Spec
from benchmark.datasets.specs.feedback_spec import (
    CONDITION,
    EVERY_RATING,
    Condition,
    Pairs,
    Seen,
    likes_in_words,
    written,
)
from benchmark.datasets.specs.file_path import FilePath, expanded, is_path, variable_fault, variables
from benchmark.datasets.specs.graph_spec import GraphSpec, LinkSpec
from benchmark.datasets.specs.log_spec import (
    MIN_ROWS_PER_USER,
    NO_SCALE,
    Ids,
    LayoutOfLines,
    LogSpec,
    SyntheticSpec,
    TimeUnit,
)
from benchmark.datasets.specs.prepare_spec import (
    CoreSpec,
    Duplicates,
    Missing,
    OutsideScale,
    PrepareSpec,
    TimeWindow,
)
from benchmark.datasets.specs.row_filter import (
    ColumnComparison,
    Constant,
    Junction,
    Negation,
    RowCondition,
    comparisons,
    parse_rows,
)
from benchmark.datasets.specs.split_spec import RULE_KEYS, FilesSpec, SplitRule, SplitSpec
from benchmark.datasets.specs.table_spec import TableSpec, TitlesSpec

__all__ = [
    "CONDITION",
    "EVERY_RATING",
    "MIN_ROWS_PER_USER",
    "MOST_SEED",
    "MOST_SPLITS",
    "NO_SCALE",
    "RULE_KEYS",
    "ColumnComparison",
    "Condition",
    "Constant",
    "CoreSpec",
    "Duplicates",
    "FilePath",
    "FilesSpec",
    "GraphSpec",
    "Ids",
    "Junction",
    "LayoutOfLines",
    "LinkSpec",
    "LogSpec",
    "Missing",
    "Negation",
    "OutsideScale",
    "Pairs",
    "PrepareSpec",
    "RowCondition",
    "Seen",
    "Separator",
    "Spec",
    "SplitRule",
    "SplitSpec",
    "SyntheticSpec",
    "TableSpec",
    "TimeUnit",
    "TimeWindow",
    "TitlesSpec",
    "comparisons",
    "expanded",
    "is_path",
    "likes_in_words",
    "parse_rows",
    "variable_fault",
    "variables",
    "written",
]
