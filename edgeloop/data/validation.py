"""validate_data: a reviewed Great Expectations suite decides which samples may be used.

The outcome is a value, the verdict; the folder that holds it is written whole whatever it says:

    verdict.json        Verdict
    quarantine.parquet  columns QUARANTINE_COLUMNS: every sample that is at fault, a row a reason
    accepted.parquet    column `id`: the samples that may be used; only there when the verdict is `pass`
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from edgeloop import plugins
from edgeloop.contract import Contract, parsed
from edgeloop.data.anomalies import Anomaly, anomalies
from edgeloop.data.dataset import Dataset
from edgeloop.data.verdict import VERDICT_FILE, Verdict
from edgeloop.files import whole_folder, write_text
from edgeloop.progress import progress

if TYPE_CHECKING:
    import pandas as pd

    from edgeloop.data.decision import Decision
    from edgeloop.data.preparation import PrepareDataParams
    from edgeloop.data.suite import Checked, Suite


class ValidateDataParams(Contract):
    """Section `validate_data`."""

    suite: Path | None = Field(
        default=None,
        description="Great Expectations suite, relative to the project; by default that of suites/ for such samples",
    )
    on_fault: Literal["stop", "quarantine"] = Field(
        default="stop", description="critical fault: stop the run, or leave the failing samples out"
    )
    max_quarantined: float = Field(default=0.05, ge=0, le=1, description="share of samples; more stops the run anyway")
    environment: Literal["training", "serving"] = Field(
        default="training", description="expectations of the suite for the other one are left out"
    )


def validate(params: ValidateDataParams, *, dataset: Path, profile: Path, validation: Path, report: Path) -> Verdict:
    """Judges a dataset by a suite.

    Args:
        params: Section `validate_data`; a relative suite starts at the current folder.
        dataset: What `prepare_data` wrote.
        profile: The profile that it wrote.
        validation: Folder to write.
        report: HTML page to write.

    Returns:
        The verdict; `fail` is an outcome, not an error.

    Raises:
        InputFault: The suite, dataset or profile is missing.
        DataFault: The suite or the dataset is not valid.
        MissingExtra: A package of the extra `validation` is not installed.
    """
    from edgeloop.data.decision import decided
    from edgeloop.data.frame import frame_of
    from edgeloop.data.page import page
    from edgeloop.data.profile import Profile
    from edgeloop.data.suite import in_environment, read_suite, suite_file, suite_of_kind

    opened = Dataset(dataset)
    path = suite_file(params.suite or suite_of_kind(opened.card.kind))
    suite = in_environment(read_suite(path), params.environment, where=path)
    frame = frame_of(dataset)
    checks = _checks(suite, frame, path)
    decision = decided(
        opened.rows,
        checks,
        suite=suite.record,
        on_fault=params.on_fault,
        max_quarantined=params.max_quarantined,
    )
    write_text(report, page(opened, Profile.of(profile), decision.verdict, frame=frame, checks=checks))
    _write(decision, validation)
    return decision.verdict


def validate_folder(folder: Path, *, suite: Path | None, workdir: Path) -> Verdict:
    """Judges a folder of pictures, a class per sub-folder, without any parameters.

    Args:
        folder: The pictures.
        suite: A suite, or None for the shipped one.
        workdir: Receives `dataset/`, `profile.json`, `validation/` and `report.html`.

    Raises:
        As `prepare` and `validate`.
    """
    from edgeloop.data.preparation import PrepareDataParams

    return judge(PrepareDataParams(source="image_folder", path=folder), suite=suite, workdir=workdir).verdict


class Judgement(Contract):
    """What `edgeloop data validate` found out about data that no parameters describe."""

    source: str
    kind: str
    verdict: Verdict
    anomalies: tuple[Anomaly, ...]


def judge(
    preparation: "PrepareDataParams",
    *,
    workdir: Path,
    suite: Path | None = None,
    environment: str = "training",
    on_fault: Literal["stop", "quarantine"] = "stop",
    max_quarantined: float | None = None,
) -> Judgement:
    """Judges what a source reads, and names what changed since its suite was written.

    Args:
        preparation: How it is read.
        workdir: Receives `dataset/`, `profile.json`, `validation/` and `report.html`.
        suite: None for the one that is shipped for the kind of its samples.
        environment: One of `edgeloop.data.suite.ENVIRONMENTS`.
        on_fault: As of `ValidateDataParams`.
        max_quarantined: As of `ValidateDataParams`; None for its default.

    Raises:
        InputFault: There is no such environment, or no suite for the kind.
        EdgeloopError: As `prepare` and `validate`.
    """
    from edgeloop.data.frame import frame_of
    from edgeloop.data.preparation import prepare
    from edgeloop.data.suite import in_environment, read_suite, refuse_unknown_environment, shipped_suite, suite_file

    refuse_unknown_environment(environment)
    kind: str = plugins.load("sources", preparation.source).kind
    path = suite_file(suite) if suite is not None else shipped_suite(kind)
    applied = in_environment(read_suite(path), environment, where=path)
    dataset, profile = workdir / "dataset", workdir / "profile.json"
    prepare(preparation, dataset=dataset, profile=profile)
    limit = {} if max_quarantined is None else {"max_quarantined": max_quarantined}
    chosen = {"suite": path, "environment": environment, "on_fault": on_fault, **limit}
    verdict = validate(
        parsed(ValidateDataParams, chosen, where="edgeloop data"),
        dataset=dataset,
        profile=profile,
        validation=workdir / "validation",
        report=workdir / "report.html",
    )
    found = anomalies(applied.expectations, verdict.expectations, frame_of(dataset))
    return Judgement(source=preparation.source, kind=kind, verdict=verdict, anomalies=found)


def _checks(suite: "Suite", frame: "pd.DataFrame", path: Path) -> "Sequence[Checked]":
    from edgeloop.data.suite import checked

    checks = []
    with progress("validate_data", len(suite.expectations)) as advance:
        for check in checked(suite, frame, where=path):
            checks.append(check)
            advance(1, check.result.says or check.result.name)
    return checks


def _write(decision: "Decision", validation: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    from edgeloop.data.decision import QUARANTINE_COLUMNS

    columns = {name: [getattr(row, name) for row in decision.quarantine] for name in QUARANTINE_COLUMNS}
    schema = pa.schema([(name, pa.string()) for name in QUARANTINE_COLUMNS])
    ids = pa.array([sample.id for sample in decision.accepted], pa.string())
    with whole_folder(validation) as folder:
        decision.verdict.write(folder / VERDICT_FILE)
        parquet.write_table(pa.table(columns, schema=schema), folder / "quarantine.parquet")
        if decision.verdict.status == "pass":
            parquet.write_table(pa.table({"id": ids}), folder / "accepted.parquet")
