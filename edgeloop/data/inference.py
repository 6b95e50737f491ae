"""A suite proposed from a prepared dataset, to be reviewed by a person before anything is judged by it.

What is always true of samples of a kind is taken from the suite that is shipped for it; what was seen in this dataset
is stated beside it, each in plain words, by these rules:

    schema      every column is there; one with neither a range nor known values still holds text    critical
    labels      the classes are those that were seen: no other, and none is missing                  critical
    values      a text column of at most MAX_VALUES values has no other                              warning
    ranges      all values but a hundredth at each end, one at least, widened on both sides by half
                of what they span; nothing below zero where nothing was; the share that must lie
                within leaves out what was set aside                                                 warning
    balance     the smallest class keeps half of its size relative to the largest                    warning
    null shares where a value was sometimes missing: in twice as many samples, and SPARE_NULLS more  info
    shares      the splits are shared out as they were                                               info

A range or a set of values that finds no value at all says so itself ("could not check"), so a column that was always
given needs no share of nulls. One outlier moves no range, and a dataset passes the expectations that were inferred
from it. What speaks of labels or splits applies to data to learn from only. The same dataset gives the same bytes.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeloop.data.dataset import INDEX_COLUMNS, SPLITS, DatasetCard
from edgeloop.data.feature_table import FEATURES_FILE, columns_in
from edgeloop.data.features import Column
from edgeloop.data.frame import frame_of
from edgeloop.data.profile import Profile
from edgeloop.data.seen_values import Seen, SeenFrame
from edgeloop.data.suite import read_suite, shipped_suite
from edgeloop.errors import InputFault

Expectation = Mapping[str, Any]

SPARE_NULLS = 0.02
SPLIT_DIVERGENCE = 0.02
"""In nats, from the shares seen; reached when 70/20/10 becomes 60/30/10."""

_TRAINING = {"environments": ["training"]}
_OF_LABELS_OR_SPLITS = (
    "label", "boxes", "split", "labels_of_bytes", "splits_of_bytes", "splits_of_group", "class_balance",
    "objects", "classes", "smallest_side_px", "largest_share", "outside", "no_area", "duplicates", "unknown_classes",
    "label_faults", "has_target", "target_missing", "target_values", "tells_target",
)  # fmt: skip
"""Columns of the index, derived ones, and those features of a detection sample that look at its boxes."""


def inferred_suite(dataset: Path, profile: Path, *, name: str) -> dict[str, Any]:
    """The proposal, as JSON types in the format of `suites/images.json`.

    Args:
        dataset: What `prepare_data` wrote.
        profile: The profile that it wrote.
        name: Of the suite.

    Raises:
        DataFault: The dataset is damaged.
        MissingExtra: pandas is not installed.
    """
    card = DatasetCard.read(dataset / "dataset.json")
    frame = frame_of(dataset)
    described = Profile.of(profile)
    labels = [label for label in card.classes if any(of_split.get(label) for of_split in described.counts.values())]
    features = columns_in(dataset / FEATURES_FILE)
    return proposed(card.kind, features, SeenFrame(frame, labels), name=name, dataset=card.name)


def proposed(kind: str, features: Sequence[Column], seen: Seen, *, name: str, dataset: str) -> dict[str, Any]:
    """The proposal for samples of a kind.

    Args:
        kind: Of the samples.
        features: Of all of them.
        seen: In the dataset.
        name: Of the suite.
        dataset: Name of the dataset.
    """
    kept, versions = _shipped(kind)
    new = [
        *_schema(features, seen),
        *_labels(seen.labels),
        *_labels_of_boxes(seen.labels_of_boxes),
        *_values(features, seen),
        *_ranges(features, seen),
        *_balance(seen),
        *_nulls(features, seen),
        *_split_shares(seen),
    ]
    said = {expectation["kwargs"].get("column") for expectation in new}
    always = [
        _where_it_applies(values)
        for values in kept
        if values.get("severity") == "critical" or values["kwargs"].get("column") not in said
    ]
    return {
        "name": name,
        "expectations": [*always, *(values for values in new if not any(_implies(one, values) for one in always))],
        "meta": {**versions, "inferred_from": {"dataset": dataset, "samples": seen.samples}},
    }


def suite_text(suite: Mapping[str, Any]) -> str:
    """A suite as the text of its file: one expectation a line, so that a review shows what changed."""
    lines = [f"    {json.dumps(values, ensure_ascii=False)}" for values in suite["expectations"]]
    listed = ",\n".join(lines)
    name, meta = (json.dumps(suite[key], ensure_ascii=False) for key in ("name", "meta"))
    return f'{{\n  "name": {name},\n  "expectations": [\n{listed}\n  ],\n  "meta": {meta}\n}}\n'


def _shipped(kind: str) -> tuple[Sequence[Expectation], Mapping[str, Any]]:
    """The expectations that are shipped for a kind, and what the suite says of the library's version."""
    try:
        path = shipped_suite(kind)
    except InputFault:  # a third party's kind: what was seen has to do
        return (), {}
    version = json.loads(path.read_bytes()).get("meta", {}).get("great_expectations_version")
    return read_suite(path).expectations, {"great_expectations_version": version} if version else {}


def _implies(shipped: Expectation, new: Expectation) -> bool:
    """Whether what is shipped says as much as a new range: it is critical, and no wider."""
    kept, kwargs = shipped["kwargs"], new["kwargs"]
    column = kwargs.get("column")
    everywhere = kept.get("row_condition") in (None, f"{column}.notnull()") and kept.get("mostly", 1) == 1
    if (shipped["type"], kept.get("column")) != (new["type"], column) or shipped.get("severity") != "critical":
        return False
    if not new["type"].endswith("values_to_be_between"):
        return bool(kept == kwargs)
    below = -math.inf if kept.get("min_value") is None else kept["min_value"]
    above = math.inf if kept.get("max_value") is None else kept["max_value"]
    low, high = kwargs.get("min_value", -math.inf), kwargs.get("max_value", math.inf)
    return bool(everywhere and below >= low and above <= high)


def _where_it_applies(values: Expectation) -> Expectation:
    """A shipped expectation that says where it applies, as those that were inferred do."""
    if values["kwargs"].get("column") not in _OF_LABELS_OR_SPLITS or "environments" in (values.get("meta") or {}):
        return values
    return {**values, "meta": {**(values.get("meta") or {}), **_TRAINING}}


def _expectation(kind: str, kwargs: Mapping[str, Any], *, severity: str, notes: str) -> Expectation:
    values = {"type": f"expect_{kind}", "kwargs": dict(kwargs), "severity": severity, "notes": notes}
    return {**values, "meta": _TRAINING} if kwargs.get("column") in _OF_LABELS_OR_SPLITS else values


def _schema(features: Sequence[Column], seen: Seen) -> Iterator[Expectation]:
    names = [*INDEX_COLUMNS, *(column.name for column in features)]
    yield _expectation(
        "table_columns_to_match_set",
        {"column_set": names, "exact_match": False},
        severity="critical",
        notes="every column is there",
    )
    for column in features:
        if column.type == "text" and seen.given(column.name) and not seen.few_values(column.name):
            yield _expectation(
                "column_values_to_be_of_type",
                {"column": column.name, "type_": "str"},
                severity="critical",
                notes=f"{column.name} ({column.says}) is text",
            )


def _labels(seen: Sequence[str]) -> Iterator[Expectation]:
    labels = list(seen)
    if not labels:
        return
    yield _expectation(
        "column_values_to_be_in_set",
        {"column": "label", "value_set": labels},
        severity="critical",
        notes=f"no class but the {len(labels)} that were seen",
    )
    yield _expectation(
        "column_distinct_values_to_contain_set",
        {"column": "label", "value_set": labels},
        severity="critical",
        notes="no class is missing",
    )


def _labels_of_boxes(labels: Sequence[str]) -> Iterator[Expectation]:
    if not labels:
        return
    named = "|".join(re.escape(json.dumps(label, ensure_ascii=False)) for label in labels)
    yield _expectation(
        "column_values_to_match_regex",
        {"column": "boxes", "regex": rf"^\[(?:\[(?:{named}),[-+.,0-9eE]*\],?)*\]$"},
        severity="critical",
        notes=f"no box of a class but the {len(labels)} that were seen",
    )


def _values(features: Sequence[Column], seen: Seen) -> Iterator[Expectation]:
    described = {column.name: f" ({column.says})" for column in features if column.type == "text"}
    for name, says in {"metadata": "", **described}.items():
        if values := seen.few_values(name):
            yield _expectation(
                "column_values_to_be_in_set",
                {"column": name, "value_set": values},
                severity="warning",
                notes=f"{name}{says} has no value that was not seen",
            )


def _ranges(features: Sequence[Column], seen: Seen) -> Iterator[Expectation]:
    for column in features:
        if column.type == "text":
            continue
        usual = seen.usual_range(column.name, whole=column.type == "int")
        if usual is None:
            continue
        low, high, share = usual
        tolerated = {"mostly": share} if share < 1 else {}
        yield _expectation(
            "column_values_to_be_between",
            {"column": column.name, "min_value": low, "max_value": high, **tolerated},
            severity="warning",
            notes=f"{column.name} ({column.says}) is in its usual range",
        )


def _balance(seen: Seen) -> Iterator[Expectation]:
    smallest = seen.smallest_balance()
    least = math.floor(50 * smallest) / 100 if smallest is not None else 0
    if least > 0:
        yield _expectation(
            "column_values_to_be_between",
            {"column": "class_balance", "min_value": least},
            severity="warning",
            notes=f"no class is smaller than {100 * least:g} % of the largest",
        )


def _nulls(features: Sequence[Column], seen: Seen) -> Iterator[Expectation]:
    for name in ("group", "time", "metadata", "boxes", *(column.name for column in features)):
        missing = seen.missing_share(name)
        share = math.floor(100 * (1 - 2 * missing - SPARE_NULLS) + 1e-9) / 100
        if share > 0 and (missing > 0 or name in INDEX_COLUMNS):
            yield _expectation(
                "column_values_to_not_be_null",
                {"column": name, "mostly": share, "row_condition": "readable", "condition_parser": "pandas"},
                severity="info",
                notes=f"at least {100 * share:.3g} % of the readable samples have {name}",
            )


def _split_shares(seen: Seen) -> Iterator[Expectation]:
    counts = seen.split_counts()
    if not sum(counts):
        return
    weights = _whole_shares(counts)
    said = ", ".join(f"{100 * share:.3g} % {split}" for split, share in zip(SPLITS, weights, strict=True))
    yield _expectation(
        "column_kl_divergence_to_be_less_than",
        {
            "column": "split",
            "partition_object": {"values": list(SPLITS), "weights": weights},
            "threshold": SPLIT_DIVERGENCE,
        },
        severity="info",
        notes=f"the splits are shared out as they were: {said}",
    )


def _whole_shares(counts: Iterable[int]) -> list[float]:
    """Shares in thousandths that add up to one: the largest takes what rounding leaves."""
    numbers = list(counts)
    thousandths = [round(1000 * number / sum(numbers)) for number in numbers]
    thousandths[numbers.index(max(numbers))] += 1000 - sum(thousandths)
    return [number / 1000 for number in thousandths]
