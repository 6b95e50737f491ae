"""The data: what was checked, and what is in it."""

import json

from edgeloop.data.dataset import SPLITS, DatasetCard
from edgeloop.data.profile import Profile
from edgeloop.data.verdict import ExpectationResult, Verdict
from edgeloop.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Fold,
    Notice,
    Row,
    Section,
    Table,
    absent,
    status_cell,
)
from edgeloop.report.drawings.classes import classes_drawn
from edgeloop.report.numerals import NONE, count, percent, short_digest, significant, value_text
from edgeloop.report.reading import Absent, Contents

_TITLE = "Data"


def data(contents: Contents) -> Section:
    """The section."""
    card, profile, verdict = contents.dataset, contents.profile, contents.verdict
    if isinstance(card, Absent):
        return absent("data", _TITLE, card.reason)
    blocks: list[Block] = [_splits(card, None if isinstance(verdict, Absent) else verdict)]
    if isinstance(verdict, Absent):
        blocks.append(Notice(f"Verdict: {verdict.reason}."))
    else:
        blocks[:0] = [_verdict(verdict)]
        blocks.append(_expectations(verdict))
    if isinstance(profile, Absent):
        blocks.append(Notice(f"Profile: {profile.reason}."))
    else:
        blocks += _distribution(profile)
    return Section("data", _TITLE, tuple(blocks))


def _verdict(verdict: Verdict) -> Notice:
    return Notice(f"Verdict {verdict.status}: {verdict.reason}", mark=verdict.status)


def _splits(card: DatasetCard, verdict: Verdict | None) -> Block:
    """Samples and digests of each split, before and after validation."""
    columns = (
        Column("split", numeric=False), Column("samples"), Column("share"), Column("accepted"),
        Column("digest", "of what was accepted; before validation, of what was prepared", numeric=False),
    )  # fmt: skip
    whole = max(sum(card.counts.values()), 1)
    rows = []
    for split in [*SPLITS, *(name for name in card.counts if name not in SPLITS)]:
        samples = card.counts.get(split, 0)
        accepted = verdict.accepted.get(split) if verdict else None
        digest = (verdict.digests.get(split) if verdict else None) or card.digests.get(split, "")
        cells = (
            Cell(split, mark="name"), Cell(count(samples)), Cell(percent(samples / whole, 1)),
            Cell(NONE if accepted is None else count(accepted)),
            Cell(digest or NONE, mark="digest"),
        )  # fmt: skip
        rows.append(Row(cells))
    quarantined = f", {count(verdict.quarantined)} quarantined" if verdict else ""
    note = (
        f"Source {card.source} ({card.name}), {len(card.classes)} classes,"
        f" {count(card.unreadable)} unreadable{quarantined}."
    )
    return Table("Splits", columns, tuple(rows), note)


def _expectations(verdict: Verdict) -> Table:
    columns = tuple(
        Column(head, numeric=head == "failing")
        for head in ("expectation", "severity", "status", "failing", "observed", "looks at", "condition")
    )
    order = {"fail": 0, "could not check": 1, "pass": 2}
    results = sorted(verdict.expectations, key=lambda result: order[result.status])
    worst = f" Worst that did not pass: {verdict.worst}." if verdict.worst else ""
    note = (
        f"Suite {verdict.suite.name}, sha256 {short_digest(verdict.suite.sha256)}; on fault: {verdict.on_fault}.{worst}"
    )
    return Table("Expectations", columns, tuple(_expectation(result) for result in results), note)


def _expectation(result: ExpectationResult) -> Row:
    arguments = ", ".join(f"{key}={_argument(value)}" for key, value in result.expected.items())
    condition = f"{result.name.removeprefix('expect_')}({arguments})"
    ids = ", ".join(result.first_ids[:3]) + (" …" if len(result.first_ids) > 3 else "")
    cells = (
        Cell(result.says or result.name),
        Cell(result.severity),
        status_cell(result.status, note=result.reason),
        Cell(count(result.failing), note=ids),
        Cell(_shown(result.observed)),
        Cell(result.column or NONE),
        Cell(condition, mark="expression"),
    )
    return Row(cells, mark="" if result.status == "pass" else "attention")


def _argument(value: object) -> str:
    """JSON, with whole numbers written as such: suites keep 1 as 1.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value_text(value)


def _distribution(profile: Profile) -> list[Block]:
    """Samples of each class in each split, and the features of the pictures."""
    labels = list(dict.fromkeys(label for counts in profile.counts.values() for label in counts))
    splits = [split for split in SPLITS if split in profile.counts]
    rows = [(label or "(no label)", tuple(profile.counts[s].get(label, 0) for s in splits)) for label in labels]
    blocks: list[Block] = []
    if picture := classes_drawn(rows, splits):
        blocks.append(Figure(picture, "Samples of each class"))
    blocks.append(Fold("Profile of the training split", (_features(profile),)))
    return blocks


def _features(profile: Profile) -> Table:
    heads = ("feature", "values", "missing", "minimum", "5 %", "median", "95 %", "maximum", "mean", "std")
    columns = tuple(Column(head, numeric=head != "feature") for head in heads)
    rows = []
    for feature in profile.features:
        levels = [feature.quantiles.get(level) for level in ("0.05", "0.5", "0.95")]
        numbers = [feature.minimum, *levels, feature.maximum, feature.mean, feature.std]
        cells = [Cell(NONE if value is None else significant(value, 4)) for value in numbers]
        rows.append(
            Row((Cell(feature.name, mark="name"), Cell(count(feature.count)), Cell(count(feature.nulls)), *cells))
        )
    return Table("", columns, tuple(rows), "Pixel values are in 0..255; sharpness is the variance of the Laplacian.")
