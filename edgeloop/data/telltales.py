"""Columns that tell the class all by themselves: a hint that a table knows the answer from somewhere else.

Such a column was often filled in after the fact (a diagnosis code, a date of discharge), or is the number of a row in a
file that is sorted by class. Each column is judged alone, by the value next to a row's own: of text the very same one,
of numbers the nearest. What most of the rows with that value are is guessed, from rows of other folds only, so an id
that occurs once tells nothing. Whether a column has a value at all counts as a column too.

Named is a column whose guesses are right for TELLING of the rows and, of every class, for TELLING_OF_CLASS. A good
feature comes near: of scikit-learn's tables the best single column is right for 0.95 of the irises. A column that
separates two classes completely and rightly is named as well, so this is for a person to judge.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

TELLING = 0.99
TELLING_OF_CLASS = 0.95
LEAST_ROWS = 50
"""With fewer, a good feature is right for all of them by chance."""

MOST_ROWS = 20_000
FOLDS = 5

_NOTHING = -1

Codes = NDArray[np.int64]


def telltales(frame: "pd.DataFrame", columns: Sequence[str]) -> tuple[str, ...]:
    """Those of `columns` that tell `label`, in their order; `NAME (whether given)` where its absence does.

    Args:
        frame: Rows with `label`, `sha256` and the columns; without a label they are not looked at.
        columns: Of numbers or text.
    """
    import pandas as pd

    rows = frame[frame["label"].notna() & frame["sha256"].notna()]
    rows = rows.sort_values("sha256", kind="stable")  # as good as drawn, and the same in every order
    rows = rows.iloc[:MOST_ROWS]
    labels, names = pd.factorize(rows["label"], sort=True)
    if len(rows) < LEAST_ROWS or len(names) < 2:
        return ()
    classes = labels.astype(np.int64)
    found: list[str] = []
    for name in columns:
        given = rows[name].notna()
        if _tells(_guesses(rows[name], classes), classes):
            found.append(name)
        elif not given.all() and _tells(_guesses(given.map({True: "given", False: "missing"}), classes), classes):
            found.append(f"{name} (whether given)")
    return tuple(found)


def _tells(guesses: Codes, classes: Codes) -> bool:
    right = guesses == classes
    of_class = np.bincount(classes, weights=right) / np.maximum(1, np.bincount(classes))
    return bool(right.mean() >= TELLING and of_class.min() >= TELLING_OF_CLASS)


def _guesses(column: "pd.Series[Any]", classes: Codes) -> Codes:
    """The class that the column makes one guess for each row, from the rows of the other folds; or _NOTHING."""
    import pandas as pd

    values, known = pd.factorize(column, sort=True)  # -1 where it is null, so null is a value like others
    places = np.asarray(known, dtype=np.float64) if pd.api.types.is_numeric_dtype(column) else None
    folds = np.arange(len(classes)) % FOLDS
    guesses = np.full(len(classes), _NOTHING, dtype=np.int64)
    for fold in range(FOLDS):
        here = folds == fold
        seen, usual = _usual_class(values[~here], classes[~here])
        asked = values[here]
        if places is not None and (seen >= 0).any():
            asked = np.where(asked < 0, asked, _nearest(asked, seen[seen >= 0], places))
        at = np.clip(np.searchsorted(seen, asked), 0, len(seen) - 1)
        guesses[here] = np.where(seen[at] == asked, usual[at], _NOTHING)
    return guesses


def _usual_class(values: NDArray[np.integer[Any]], classes: Codes) -> tuple[Codes, Codes]:
    """The different values, ascending, and the class that most rows with each have; of equally many the first."""
    count = int(classes.max()) + 1
    pairs, sizes = np.unique(values.astype(np.int64) * count + classes, return_counts=True)
    order = np.lexsort((pairs % count, -sizes, pairs // count))
    seen, first = np.unique(pairs[order] // count, return_index=True)
    return seen, (pairs[order] % count)[first]


def _nearest(asked: NDArray[np.integer[Any]], seen: Codes, places: NDArray[np.float64]) -> Codes:
    """For each value the one among `seen` that lies nearest.

    Args:
        asked: Positions of values in `places`; those below zero count for nothing.
        seen: Likewise, ascending, none below zero.
        places: The values, ascending.
    """
    wanted = places[np.maximum(asked, 0)]
    above = np.clip(np.searchsorted(places[seen], wanted), 0, len(seen) - 1)
    below = np.maximum(above - 1, 0)
    nearer_below = np.abs(places[seen[below]] - wanted) <= np.abs(places[seen[above]] - wanted)
    nearest: Codes = np.where(nearer_below, seen[below], seen[above])
    return nearest
