"""What only the whole table can tell about a row, beside what `edgeloop.data.frame` derives for every kind of sample.

copies_by_chance     rows with the very same values that chance alone would give, if columns knew nothing of each
                     other: the number of rows times the share of each value in its column, null being a value.
                     Where it is far below one, rows that are equal are copies of each other
has_target           some row of the table has a label or a quantity to be learned
target_missing       1 where a readable row has none although others have, else 0; null without a target
target_values        different labels, or quantities, of the whole table; null without a target
tells_target         columns that tell the label alone, see `edgeloop.data.telltales`; NO_COLUMN where none does
constant_columns     columns with one value in all rows, or none; NO_COLUMN where there is none
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeloop.data.telltales import telltales

if TYPE_CHECKING:
    import pandas as pd

NO_COLUMN = "no column"


def derived_of_rows(frame: "pd.DataFrame", columns: Sequence[str]) -> dict[str, Any]:
    """The derived columns, one value a row.

    Args:
        frame: Index and features.
        columns: The features that are columns of the table.
    """
    readable = frame["error"].isna()
    target = frame["label"].where(frame["label"].notna(), frame["metadata"])
    has_target = bool(target.notna().any())
    missing = (target.isna() & readable).astype(float)
    constant = [name for name in columns if frame.loc[readable, name].nunique(dropna=False) <= 1]
    return {
        "copies_by_chance": copies_by_chance(frame[list(columns)]),
        "has_target": has_target,
        "target_missing": missing if has_target else None,
        "target_values": float(target[readable].nunique()) if has_target else None,
        "tells_target": ", ".join(telltales(frame, columns)) or NO_COLUMN,
        "constant_columns": ", ".join(constant) or NO_COLUMN,
    }


def copies_by_chance(values: "pd.DataFrame") -> "pd.Series[Any]":
    """Rows with the values of each row that chance alone would give, itself included; never above their number."""
    import pandas as pd

    rows = len(values)
    logarithm = np.full(rows, np.log(rows))
    for name in values:
        codes, _ = pd.factorize(values[name], use_na_sentinel=False)
        logarithm += np.log(np.bincount(codes)[codes] / rows)
    return pd.Series(np.exp(logarithm), index=values.index)
