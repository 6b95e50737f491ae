"""The nine steps called one after another in one process: what the pipeline's overhead is measured against."""

import sys
from pathlib import Path

from edgeloop import params as parameters
from edgeloop.benchmarking.measurement import benchmark
from edgeloop.conversion import convert
from edgeloop.data.preparation import prepare
from edgeloop.data.validation import validate
from edgeloop.evaluation import evaluate
from edgeloop.optimization.variants import quantize
from edgeloop.registration import register
from edgeloop.report import ReportInputs, render
from edgeloop.selection import select
from edgeloop.training.fit import train


def main(overrides: list[str]) -> None:
    """Runs all steps into ./artifacts."""
    out = Path("artifacts")
    params = parameters.load(overrides=overrides)
    params.write(out / "params.json")
    dataset, profile = out / "dataset", out / "profile.json"
    prepare(params.prepare_data, dataset=dataset, profile=profile)
    validation = out / "validation"
    validate(params.validate_data, dataset=dataset, profile=profile, validation=validation, report=out / "data.html")
    data = {"dataset": dataset, "validation": validation}
    model, history = out / "model", out / "history"
    train(params.train, model=model, history=history, **data)
    variants = {"converted": out / "converted", "quantized": out / "quantized"}
    convert(params.convert, model=model, converted=variants["converted"], **data)
    quantize(params.quantize, **variants, **data)
    measured, selection, evaluation = out / "measurements", out / "selection.json", out / "evaluation"
    benchmark(params.benchmark, benchmark=measured, **variants, **data)
    select(params.select, benchmark=measured, quantized=variants["quantized"], selection=selection)
    evaluate(params.evaluate, selection=selection, evaluation=evaluation, **variants, **data)
    everything = {
        "profile": profile, "model": model, "history": history, "benchmark": measured, "selection": selection,
        "evaluation": evaluation, **variants, **data,
    }  # fmt: skip
    register(params.register, params_file=out / "params.json", bundle=out / "bundle", **everything)
    inputs = ReportInputs(
        title="in one process", params=out / "params.json", lineage=out / "bundle" / "lineage.yaml", **everything
    )
    render(inputs, out / "report.html")


if __name__ == "__main__":
    main(sys.argv[1:])
