"""The page that shows a validation to people: one HTML file that loads nothing from anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from edgeloop.data.breakdown import breakdowns
from edgeloop.data.conditions import conditions_of
from edgeloop.data.dataset import SPLITS, Dataset, Sample, classes_in
from edgeloop.data.feature_table import FEATURES_FILE, columns_in
from edgeloop.data.listing import Listing, listing
from edgeloop.data.profile import Profile
from edgeloop.data.thumbnails import thumbnail
from edgeloop.data.verdict import SEVERITIES, ExpectationResult, Verdict
from edgeloop.errors import EdgeloopError
from edgeloop.plugins import missing_extra

if TYPE_CHECKING:
    import pandas as pd

    from edgeloop.data.suite import Checked

_SHOWN_FAULTS = 12
_SHOWN_CLASSES = 20
_SHOWN_OF_CLASS = 8
_SHOWN_ROWS_OF_CLASS = 3


@dataclass(frozen=True)
class Tile:
    """A small picture with its caption; `source` is a data: URI, or empty where there is nothing to show."""

    caption: str
    source: str
    title: str


@dataclass(frozen=True)
class Bar:
    """The samples of one class; widths are percent of the largest class."""

    label: str
    total: int
    parts: Mapping[str, tuple[int, float]]


def page(
    dataset: Dataset, profile: Profile, verdict: Verdict, *, frame: "pd.DataFrame", checks: Sequence["Checked"]
) -> str:
    """The page as HTML.

    Args:
        dataset: Opened without a validation, to show what is left out as well.
        profile: Of the same dataset.
        verdict: What was decided.
        frame: What was looked at, see `edgeloop.data.frame`.
        checks: What the suite found in it.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    from edgeloop.data.spreads import drawn, spreads_of

    rows = {sample.id: sample for sample in dataset.rows}
    ordered = faults_first(verdict)
    return rendered(
        card=dataset.card,
        verdict=verdict,
        profile=profile,
        expectations=ordered,
        faults=[
            (result, shown_of(dataset, [rows[i] for i in result.first_ids[:_SHOWN_FAULTS] if i in rows]))
            for result in ordered
            if result.first_ids
        ],
        classes=[(name, shown_of(dataset, _examples(dataset, name))) for name in dataset.card.classes[:_SHOWN_CLASSES]],
        bars=bars(profile),
        breakdowns=breakdowns(dataset.rows, _faulty(checks)),
        spreads=[(shown, drawn(shown)) for shown in spreads_of(frame, checks, conditions_of(dataset.rows))],
        drawn_rows=0,
        statistics_of="the training split",
        meanings={c.name: c.says for c in columns_in(dataset.folder / FEATURES_FILE)},
        splits=SPLITS,
    )


def faults_first(verdict: Verdict) -> list[ExpectationResult]:
    """The results in the order of their severity."""
    return sorted(verdict.expectations, key=lambda result: SEVERITIES.index(result.severity))


def rendered(**values: Any) -> str:
    """The template with what it asks for.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ModuleNotFoundError as error:
        raise missing_extra(error, "report") from error
    source = (resources.files("edgeloop.data") / "page.html.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template.filters["figure"] = figure
    return template.from_string(source).render(**values)


def _faulty(checks: Sequence["Checked"]) -> dict[str, set[str]]:
    """The ids that expectations which were not met name, by severity; mere information is no fault."""
    return {
        severity: {i for check in checks if check.result.severity == severity for i in check.failing_ids}
        for severity in ("critical", "warning")
    }


def _examples(dataset: Dataset, label: str) -> Sequence[Sample]:
    shown = _SHOWN_ROWS_OF_CLASS if dataset.card.kind == "table" else _SHOWN_OF_CLASS
    return [sample for sample in dataset.split("train") if label in classes_in(sample)][:shown]


def bars(profile: Profile) -> list[Bar]:
    """One bar a class, in the order of their names."""
    labels = next(iter(profile.counts.values()), {})
    totals = {label: sum(profile.counts[split][label] for split in SPLITS) for label in labels}
    largest = max(totals.values(), default=1)
    return [
        Bar(
            label=label or "no class",
            total=total,
            parts={s: (profile.counts[s][label], 100 * profile.counts[s][label] / largest) for s in SPLITS},
        )
        for label, total in totals.items()
    ]


def shown_of(dataset: Dataset, samples: Sequence[Sample]) -> list[Tile] | Listing:
    """What is shown of samples: a small picture of each, or, of a table, its rows."""
    return listing(dataset, samples) if dataset.card.kind == "table" else tiles(dataset, samples)


def tiles(dataset: Dataset, samples: Iterable[Sample]) -> list[Tile]:
    """A tile for each sample; one that cannot be shown says why."""
    return [_tile(dataset, sample) for sample in samples]


def _tile(dataset: Dataset, sample: Sample) -> Tile:
    title = f"{sample.id} · {', '.join(classes_in(sample)) or 'no class'} · {sample.split}"
    if sample.error is not None:
        return Tile(caption=sample.id, source="", title=f"{title} · {sample.error}")
    try:
        return Tile(
            caption=sample.id, source=thumbnail(dataset.content(sample), sample, kind=dataset.card.kind), title=title
        )
    except EdgeloopError as error:
        return Tile(caption=sample.id, source="", title=f"{title} · {error.what}")


def figure(value: Any) -> str:
    """A number as people read it: at most four digits that matter, thousands apart."""
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"
