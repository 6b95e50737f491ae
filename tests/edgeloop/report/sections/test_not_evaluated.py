"""What the page says of variants that were not made here, and of where operators were computed."""

from types import SimpleNamespace

from edgeloop.benchmarking import CandidateRow, Target
from edgeloop.report.blocks import Notice
from edgeloop.report.reading import Absent
from edgeloop.report.sections.benchmark import _placements
from edgeloop.report.sections.steps import _variants
from edgeloop.report.sections.variants import variants
from edgeloop.runtimes import Placement
from edgeloop.variants import Check, Tool, UnmadeVariant, Variant, VariantSet

MADE = Variant(
    name="onnx-fp32", format="onnx", precision="fp32", file="m", sha256="0" * 64, size_bytes=10,
    made_by=Tool(name="t", version="1"),
)  # fmt: skip
UNMADE = UnmadeVariant(
    name="tensorrt-fp32", format="tensorrt", precision="fp32", made_from="onnx-fp32", reason="no GPU",
    checks=(Check(name="tensorrt_opset", status="pass", value=20, limit=20),),
)  # fmt: skip
SET = VariantSet(variants=(MADE,), unmade=(UNMADE,))


def test_a_variant_that_was_not_made_is_told_with_the_reason_and_what_was_judged() -> None:
    section = variants(SimpleNamespace(converted=SET, quantized=Absent("not run")))
    told = [block.text for block in section.blocks if isinstance(block, Notice)]
    assert "tensorrt-fp32: not evaluated: no GPU." in told
    assert "tensorrt_opset" in repr(section.blocks)


def test_the_step_counts_it_apart() -> None:
    assert _variants(SET) == "1 of 1 accepted, 1 not evaluated"


def test_where_operators_were_computed_and_what_fell_back_is_a_row() -> None:
    placement = Placement(
        providers={"CPUExecutionProvider": 9},
        precisions={"float32": 1, "uint8": 4},
        fell_back=tuple(f"Erf curve{n}: float32" for n in range(6)),
    )
    row = CandidateRow(
        candidate="onnx-int8@local-onnxruntime-1t", variant="onnx-int8", target=Target(), status="pass",
        profile="quick", size_bytes=10, runtime_version="1.31.1", placement=placement,
    )  # fmt: skip
    ((cells,),) = ([shown.cells for shown in _placements([row]).rows],)
    assert [cell.text for cell in cells[1:4]] == ["onnxruntime", "CPUExecutionProvider 9", "float32 1, uint8 4"]
    assert cells[4].text.endswith("Erf curve3: float32; 2 more")
    assert "curve5" in cells[4].title
    assert not any(column.numeric for column in _placements([row]).columns)  # a numeral does not break into lines
