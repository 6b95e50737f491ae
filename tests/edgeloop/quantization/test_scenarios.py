"""Every scenario, on a few samples of its kind: all files that it asks for come out, or are named with the reason."""

import html
from pathlib import Path
from typing import Any

import pytest

from edgeloop import params as parameters
from edgeloop import plugins
from edgeloop.conversion import convert, with_sources
from edgeloop.conversion.litert import PYTHON_VARIABLE
from edgeloop.data.dataset import Dataset
from edgeloop.data.preparation import prepare
from edgeloop.optimization.variants import quantize
from edgeloop.report import ReportInputs
from edgeloop.report.page import page
from edgeloop.tracking import untracked_run
from edgeloop.training.fit import train
from edgeloop.variants import VariantSet

SCENARIOS = Path(__file__).parents[3] / "scenarios"
SMALL = (
    "prepare_data.min_class_samples=3", "train.epochs=1", "train.threads=1", "train.ema=0", "convert.parity_samples=4",
    "quantize.calibration_samples=16", "quantize.trials=2", "quantize.qat_epochs=0",
)  # fmt: skip
WINDOWS = "prepare_data.options={machines: 10, windows: 2, length: 512}"
SMALLER = {
    "digits": ("train.model_options={width: 4}", "quantize.limits={min_sqnr_db: 90, max_size_ratio: 10}"),
    "traffic-signs-crops": ("prepare_data.options={count: 60, size_pixels: 160}", "train.model_options={width: 4}"),
    "vibration": (WINDOWS, "train.model_options={width: 4, blocks: 1}", "train.augment_shift=2"),
    "vibration-anomaly": (WINDOWS, "train.model_options={hidden: 16-4-16}", "train.window={bands: 8}"),
    "traffic-signs": (
        "prepare_data.options={count: 24, size_pixels: 160}", "train.image={height: 64, width: 64, mode: RGB}",
        "train.model_options={width: 0.125, opponent_colours: true}", "train.crop_side=null", "train.batch_size=8",
        "train.passes=1",
    ),
}  # fmt: skip

LONGEST = ("traffic-signs-crops", "traffic-signs")
"""A picture of classes is among the others too; an export of the detector alone takes ten seconds."""


def test_every_scenario_but_that_for_trying_out_is_here() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.yaml")} == {*SMALLER, "smoke"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.long if name in LONGEST else pytest.mark.slow) for name in SMALLER],
)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Parameters, both sets and the page, made on a machine without the environment of LiteRT's converter."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    pytest.importorskip("nncf")
    name, folder = request.param, tmp_path_factory.mktemp(request.param)
    given = parameters.load(
        SCENARIOS.with_name("params.yaml"), scenario=SCENARIOS / f"{name}.yaml", overrides=[*SMALL, *SMALLER[name]]
    )
    data = {"dataset": folder / "dataset", "validation": folder / "validation"}
    prepare(given.prepare_data, dataset=data["dataset"], profile=folder / "profile.json")
    data["validation"].mkdir()
    rows = Dataset(data["dataset"]).rows
    parquet.write_table(pa.table({"id": [row.id for row in rows]}), data["validation"] / "accepted.parquet")
    train(given.train, **data, model=folder / "model", history=folder / "history", tracker=untracked_run)
    sets = {"converted": folder / "converted", "quantized": folder / "quantized"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(PYTHON_VARIABLE, str(folder / "none"))
        convert(given.convert, model=folder / "model", **data, converted=sets["converted"])
        quantize(given.quantize, **data, **sets)
    shown = html.unescape(page(ReportInputs(title=name, **sets)))
    return given, {name: VariantSet.of(path) for name, path in sets.items()}, shown


def test_every_file_that_is_asked_for_is_made_or_named(made: Any) -> None:
    given, sets, _ = made
    asked = {f"{name}-fp32" for name in with_sources(given.convert.formats)}
    asked |= {plugins.load("quantization", name).variant for name in given.quantize.schemes}
    files = {variant.name for one in sets.values() for variant in one.variants} - {"torch-fp32"}
    unmade = {variant.name for one in sets.values() for variant in one.unmade}
    assert unmade == {"litert-fp32", "litert-int8"}
    assert files | unmade == asked
    assert len(asked) == 9


def test_the_page_says_of_every_file_that_was_dropped_why(made: Any) -> None:
    _, sets, shown = made
    reasons = [variant.reason for one in sets.values() for variant in one.unmade]
    refused = [variant for one in sets.values() for variant in one.variants if not variant.accepted]
    reasons += [variant.details["fallback"] for variant in refused]
    assert not [reason for reason in reasons if reason not in shown]


def test_the_page_draws_the_sensitivity_of_what_was_searched_for(made: Any) -> None:
    _, sets, shown = made
    searched = {variant.name for variant in sets["quantized"].variants if "sensitivity" in variant.details}
    names = {variant.name for variant in sets["quantized"].variants}
    assert {name for name in names if f"Sensitivity of the layers of {name}<" in shown} == searched
    assert searched or "No layer's sensitivity was measured" in shown
