"""Limits, then the Pareto front, then the preference."""

from pathlib import Path
from typing import Any

import pytest

from edgeloop.benchmarking import BenchmarkReport, CandidateRow, Latency, Quantile, Target
from edgeloop.errors import InputFault, ModelFault
from edgeloop.selection import Judged, Selection, SelectLimits, SelectParams, chosen, select
from edgeloop.variants import VARIANTS_FILE, Check, Tool, Variant, VariantSet


def latency_of(p90_ms: float, *, samples: int = 1000) -> Latency:
    def quantile(least: int) -> Quantile:
        return Quantile(value_ms=0.9 * p90_ms, upper_ms=p90_ms if samples >= least else None)

    return Latency(
        samples=samples, p50=quantile(7), p90=quantile(44), p95=quantile(90), p99=quantile(459),
        minimum_ms=0.5 * p90_ms, mean_ms=p90_ms, maximum_ms=2 * p90_ms, throughput_per_s=1000 / p90_ms,
    )  # fmt: skip


def row(variant: str, p90_ms: float = 1.0, *, samples: int = 1000, runtime: str = "r", **fields: Any) -> CandidateRow:
    target = Target(runtime=runtime)
    values: dict[str, Any] = {
        "status": "pass", "profile": "quick", "size_bytes": 1000, "accuracy": 0.99, "latency_ratio": 1.0,
        "peak_memory_bytes": 5000, "latency": latency_of(p90_ms, samples=samples),
    }  # fmt: skip
    return CandidateRow(candidate=f"{variant}@{target.name}", variant=variant, target=target, **{**values, **fields})


def report_of(*rows: CandidateRow) -> BenchmarkReport:
    return BenchmarkReport(protocol={}, reference="fp32", metric="accuracy", environments={}, rows=rows)


def choose(report: BenchmarkReport, *refused: Variant, prefer: str = "latency", **limits: Any) -> Selection:
    params = SelectParams.model_validate({"prefer": prefer, "limits": limits})
    return chosen(report, refused, params)


def judged(selection: Selection, variant: str) -> Judged:
    return next(found for found in selection.candidates if found.variant == variant)


SCENARIO = report_of(
    row("fp32", 3.0, accuracy=0.990, size_bytes=4000, peak_memory_bytes=9000),
    row("fastest", 1.0, accuracy=0.970, size_bytes=3000, peak_memory_bytes=8000, latency_ratio=0.9),
    row("second", 2.0, accuracy=0.985, size_bytes=2000, peak_memory_bytes=7000, latency_ratio=0.3),
    row("third", 2.5, accuracy=0.989, size_bytes=1000, peak_memory_bytes=6000, latency_ratio=0.5),
)
"""Without limits the fastest wins; each limit alone takes another one."""


def test_without_limits_the_preference_decides() -> None:
    assert choose(SCENARIO).variant == "fastest"


@pytest.mark.parametrize(
    ("limit", "value", "winner"),
    [
        ("max_accuracy_drop", 0.01, "second"),
        ("max_accuracy_drop", 0.002, "third"),
        ("max_accuracy_drop", 0.0, "fp32"),
        ("max_latency_ratio", 0.6, "second"),
        ("max_size_bytes", 2500, "second"),
        ("max_size_bytes", 1500, "third"),
        ("max_memory_bytes", 7500, "second"),
        ("max_memory_bytes", 6500, "third"),
    ],
)
def test_each_limit_alone_changes_the_winner(limit: str, value: float, winner: str) -> None:
    assert choose(SCENARIO, **{limit: value}).variant == winner


@pytest.mark.parametrize(("limit_ms", "winner"), [(None, "fp32"), (2.9, "third"), (2.2, "second"), (1.5, "fastest")])
def test_the_latency_limit_alone_changes_the_winner_by_accuracy(limit_ms: float | None, winner: str) -> None:
    assert choose(SCENARIO, prefer="accuracy", max_latency_ms=limit_ms).variant == winner


@pytest.mark.parametrize(
    ("prefer", "winner"), [("latency", "fastest"), ("accuracy", "fp32"), ("size", "third"), ("memory", "third")]
)
def test_the_preference_alone_changes_the_winner(prefer: str, winner: str) -> None:
    assert choose(SCENARIO, prefer=prefer).variant == winner


def test_the_latency_limit_is_on_the_bound_and_not_on_the_quantile() -> None:
    report = report_of(row("fp32", 1.05))
    assert report.rows[0].latency is not None and report.rows[0].latency.p90.value_ms < 1.0
    assert choose(report, max_latency_ms=1.0).winner is None


def test_a_limit_on_p99_needs_459_samples() -> None:
    few, enough = row("few", 1.0, samples=458), row("enough", 5.0, samples=459)
    selection = choose(report_of(few, enough), max_latency_ms=10, latency_quantile="p99")
    assert selection.variant == "enough"
    assert judged(selection, "few").reasons == (
        "max_latency_ms not evaluated: 458 samples are too few for a bound on p99",
    )


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        ("max_accuracy_drop", "accuracy"),
        ("max_latency_ms", "latency"),
        ("max_latency_ratio", "latency_ratio"),
        ("max_memory_bytes", "peak_memory_bytes"),
    ],
)
def test_what_is_not_known_does_not_pass_a_limit(limit: str, field: str) -> None:
    assert choose(report_of(row("fp32", **{field: None})), **{limit: 1}).winner is None


def test_the_accuracy_drop_has_no_rounding_error() -> None:
    report = report_of(row("fp32", 2.0, accuracy=0.98), row("int8", 1.0, accuracy=0.97))
    assert choose(report, max_accuracy_drop=0.01).variant == "int8"


def test_without_the_reference_the_accuracy_drop_is_not_evaluated() -> None:
    report = report_of(row("fp32", status="invalid", reason="lost: x", accuracy=None), row("int8"))
    selection = choose(report, max_accuracy_drop=0.01)
    assert selection.winner is None
    assert judged(selection, "int8").checks[1].status == "not evaluated"


@pytest.mark.parametrize("status", ["fail", "invalid", "not evaluated"])
def test_a_row_that_is_not_a_pass_is_never_chosen(status: str) -> None:
    selection = choose(report_of(row("fp32", 2.0), row("int8", 0.1, status=status, reason="contended: x")))
    assert selection.variant == "fp32"
    assert judged(selection, "int8").reasons == (f"{status}: contended: x",)


def test_a_rejected_candidate_has_all_its_reasons() -> None:
    found = judged(choose(SCENARIO, max_accuracy_drop=0.001, max_size_bytes=500, max_memory_bytes=100), "fastest")
    assert found.rejected
    assert [reason.split()[0] for reason in found.reasons] == [
        "max_accuracy_drop", "max_size_bytes", "max_memory_bytes",
    ]  # fmt: skip


def test_a_dominated_candidate_names_what_dominates_it() -> None:
    found = judged(choose(report_of(row("fp32", 1.0), row("int8", 2.0))), "int8")
    assert (found.rejected, found.on_front) == (False, False)
    assert found.reasons == ("dominated by fp32@local-r-1t: nowhere better, and somewhere worse",)


def test_a_candidate_on_the_front_that_is_not_preferred_has_a_reason() -> None:
    found = judged(choose(SCENARIO), "third")
    assert found.on_front
    assert found.reasons == (
        "on the front, but latency prefers fastest@local-r-1t: 2.5 ms (p90, upper bound) against 1 ms (p90,"
        " upper bound)",
    )


def test_a_rejected_candidate_dominates_nobody() -> None:
    report = report_of(row("fp32", 2.0), row("int8", 1.0, status="invalid", reason="x"))
    assert judged(choose(report), "fp32").on_front


def test_the_winner_has_no_reason_against_it() -> None:
    assert judged(choose(SCENARIO), "fastest").reasons == ()


def test_an_unknown_memory_counts_as_the_worst() -> None:
    report = report_of(row("fp32", 1.0, peak_memory_bytes=None), row("int8", 1.0))
    assert choose(report).variant == "int8"


@pytest.mark.parametrize(
    ("better", "winner"),
    [({"accuracy": 0.995}, "b"), ({"size_bytes": 900}, "b"), ({}, "a")],
)
def test_ties_fall_to_accuracy_then_size_then_name(better: dict[str, Any], winner: str) -> None:
    # memory keeps both on the front
    report = report_of(row("b", 1.0, peak_memory_bytes=5001, **better), row("a", 1.0))
    assert choose(report).variant == winner


def test_the_order_of_the_rows_does_not_matter() -> None:
    turned = SCENARIO.model_copy(update={"rows": SCENARIO.rows[::-1]})
    assert choose(turned).winner == choose(SCENARIO).winner


def test_no_candidate_within_the_limits_is_no_winner_with_every_reason() -> None:
    selection = choose(SCENARIO, max_size_bytes=1)
    assert (selection.winner, selection.variant, selection.target) == (None, None, None)
    assert all(found.candidate in selection.reason for found in selection.candidates)


def test_an_empty_report_is_no_winner() -> None:
    assert choose(report_of()).winner is None


def refused(name: str = "onnx-int8") -> Variant:
    checks = (
        Check(name="max_accuracy_drop", status="fail", value=0.3, limit=0.01, reason="0.3 is more than 0.01"),
        Check(name="min_agreement", status="pass", value=1.0, limit=0.9),
        Check(name="max_size_ratio", status="not evaluated", reason="no float file"),
    )
    return Variant(
        name=name, format="onnx", precision="int8", file="m.onnx", sha256="0" * 64, size_bytes=10,
        made_by=Tool(name="x", version="1"), checks=checks,
    )  # fmt: skip


def test_what_quantize_refused_is_listed_with_its_reasons() -> None:
    found = judged(choose(SCENARIO, refused()), "onnx-int8")
    assert found.rejected
    assert found.reasons == (
        "refused by quantize: max_accuracy_drop fail: 0.3 is more than 0.01",
        "refused by quantize: max_size_ratio not evaluated: no float file",
    )


def test_one_variant_may_win_on_one_of_two_targets() -> None:
    report = report_of(row("fp32", 2.0, runtime="slow"), row("fp32", 1.0, runtime="quick"))
    selection = choose(report)
    assert selection.winner == "fp32@local-quick-1t"
    assert selection.target == Target(runtime="quick")


def test_the_choice_is_written_and_read_back(tmp_path: Path) -> None:
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "quantized").mkdir()
    SCENARIO.write(tmp_path / "benchmark/report.json")
    VariantSet(variants=(refused(),)).write(tmp_path / "quantized" / VARIANTS_FILE)
    selection = select(
        SelectParams(limits=SelectLimits(max_accuracy_drop=0.01)), benchmark=tmp_path / "benchmark",
        quantized=tmp_path / "quantized", selection=tmp_path / "selection.json",
    )  # fmt: skip
    assert Selection.read(tmp_path / "selection.json") == selection
    assert selection.variant == "second"
    assert judged(selection, "onnx-int8").rejected


def test_a_report_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        select(SelectParams(), benchmark=tmp_path, quantized=tmp_path, selection=tmp_path / "s.json")


def test_a_report_that_is_rubbish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ModelFault, match="is not JSON"):
        select(SelectParams(), benchmark=tmp_path, quantized=tmp_path, selection=tmp_path / "s.json")
    assert not (tmp_path / "s.json").exists()
