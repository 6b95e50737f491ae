"""What the section says of a search."""

from dataclasses import fields
from typing import Any

import pytest

from edgeloop.report.blocks import Figure, Fold, Notice, Table
from edgeloop.report.drawings.sensitivity import MOST_LAYERS, sensitivity_drawn
from edgeloop.report.reading import NOT_RUN, Contents
from edgeloop.report.sections.variants import _search, variants
from edgeloop.variants import Check, Tool, UnmadeVariant, Variant, VariantSet

TRIAL: dict[str, Any] = {
    "rung": "plain", "method": "minmax", "bias_correction": "none", "kept_float": [], "size_bytes": 10,
    "accepted": False, "failed": ["accuracy_drop"], "drop": 0.25,
}  # fmt: skip


SEARCHED = Variant(
    name="onnx-int8", format="onnx", precision="int8", file="m", sha256="0" * 64, size_bytes=10,
    made_by=Tool(name="t", version="1", options={"kept_float": ["conv1"]}),
    checks=(
        Check(name="accuracy_drop", status="fail", value=0.25, limit=0.01, reason="lost"),
        Check(name="size_ratio", status="pass", value=0.3, limit=0.75),
    ),
    details={
        "trials": [
            TRIAL,
            {**TRIAL, "rung": "mixed precision", "kept_float": ["conv1"], "accepted": True, "failed": [], "drop": 0.0},
        ],
        "sensitivity": [{"layer": "conv1", "sqnr_db": 3.0}, {"layer": "conv2", "sqnr_db": None}],
        "fallback": "float is kept",
    },
)  # fmt: skip
UNMADE = UnmadeVariant(
    name="litert-int8", format="litert", precision="int8", made_from="litert-fp32", reason="run: make litert"
)


@pytest.fixture
def blocks() -> list[Any]:
    return _search(SEARCHED)


def shown(*found: Variant, unmade: tuple[UnmadeVariant, ...] = ()) -> tuple[Any, ...]:
    """The blocks of the whole section."""
    absent = {field.name: NOT_RUN for field in fields(Contents)}
    one = VariantSet(variants=found, unmade=unmade)
    return variants(Contents(**{**absent, "converted": VariantSet(variants=()), "quantized": one})).blocks


def test_every_trial_is_a_row_with_what_it_lost(blocks: list[Any]) -> None:
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [(row.cells[1].text, row.cells[3].text, row.cells[7].note) for row in table.rows] == [
        ("plain", "0", "accuracy_drop"),
        ("mixed precision", "1", ""),
    ]


def test_why_each_of_the_others_was_dropped_stands_before_everything_else() -> None:
    _, *rest = shown(SEARCHED, unmade=(UNMADE,))
    assert [block.text for block in rest[:2]] == [
        "onnx-int8: float is kept.", "litert-int8: not evaluated: run: make litert.",
    ]  # fmt: skip


def test_the_checks_that_were_missed_stand_apart_from_all() -> None:
    (table,) = (block for block in shown(SEARCHED) if isinstance(block, Table) and "missed" in block.title)
    assert [row.cells[1].text for row in table.rows] == ["accuracy_drop"]
    assert "All 2 checks of the files" in [block.summary for block in shown(SEARCHED) if isinstance(block, Fold)]


def test_where_no_sensitivity_was_measured_the_page_says_why() -> None:
    plain = SEARCHED.model_copy(update={"details": {"metric": "accuracy"}})
    (said,) = (block.text for block in shown(plain) if isinstance(block, Notice))
    assert said.startswith("No layer's sensitivity was measured")


def test_the_sensitivity_is_drawn_and_says_what_was_kept(blocks: list[Any]) -> None:
    (figure,) = (block for block in blocks if isinstance(block, Figure))
    assert "kept float" in figure.picture.__html__()


def test_of_many_layers_the_worst_are_drawn() -> None:
    drawn = sensitivity_drawn([(f"layer{n}", float(n), False) for n in range(100)])
    assert drawn is not None
    assert drawn.__html__().count("<rect") == MOST_LAYERS


def test_without_a_layer_that_does_harm_there_is_no_drawing() -> None:
    assert sensitivity_drawn([("layer", None, False)]) is None
