"""What the section says of a search."""

from typing import Any

import pytest

from edgeloop.report.blocks import Figure, Notice, Table
from edgeloop.report.drawings.sensitivity import MOST_LAYERS, sensitivity_drawn
from edgeloop.report.sections.variants import _search
from edgeloop.variants import Tool, Variant

TRIAL: dict[str, Any] = {
    "rung": "plain", "method": "minmax", "bias_correction": "none", "kept_float": [], "size_bytes": 10,
    "accepted": False, "failed": ["accuracy_drop"], "drop": 0.25,
}  # fmt: skip


@pytest.fixture
def blocks() -> list[Any]:
    mixed = {**TRIAL, "rung": "mixed precision", "kept_float": ["conv1"], "accepted": True, "failed": [], "drop": 0.0}
    return _search(
        Variant(
            name="onnx-int8", format="onnx", precision="int8", file="m", sha256="0" * 64, size_bytes=10,
            made_by=Tool(name="t", version="1", options={"kept_float": ["conv1"]}),
            details={
                "trials": [TRIAL, mixed],
                "sensitivity": [{"layer": "conv1", "sqnr_db": 3.0}, {"layer": "conv2", "sqnr_db": None}],
                "fallback": "float is kept",
            },
        )
    )  # fmt: skip


def test_every_trial_is_a_row_with_what_it_lost(blocks: list[Any]) -> None:
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert [(row.cells[1].text, row.cells[3].text, row.cells[7].note) for row in table.rows] == [
        ("plain", "0", "accuracy_drop"),
        ("mixed precision", "1", ""),
    ]


def test_the_reason_for_float_is_not_overlooked(blocks: list[Any]) -> None:
    (notice,) = (block for block in blocks if isinstance(block, Notice))
    assert notice.text == "onnx-int8: float is kept."


def test_the_sensitivity_is_drawn_and_says_what_was_kept(blocks: list[Any]) -> None:
    (figure,) = (block for block in blocks if isinstance(block, Figure))
    assert "kept float" in figure.picture.__html__()


def test_of_many_layers_the_worst_are_drawn() -> None:
    drawn = sensitivity_drawn([(f"layer{n}", float(n), False) for n in range(100)])
    assert drawn is not None
    assert drawn.__html__().count("<rect") == MOST_LAYERS


def test_without_a_layer_that_does_harm_there_is_no_drawing() -> None:
    assert sensitivity_drawn([("layer", None, False)]) is None
