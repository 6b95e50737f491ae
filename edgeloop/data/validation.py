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

from edgeloop.contract import Contract
from edgeloop.data.dataset import Dataset
from edgeloop.data.verdict import VERDICT_FILE, Verdict
from edgeloop.files import whole_folder, write_text
from edgeloop.progress import progress

if TYPE_CHECKING:
    from edgeloop.data.decision import Decision
    from edgeloop.data.suite import Checked, Suite

DEFAULT_SUITE = Path("suites/images.json")


class ValidateDataParams(Contract):
    """Section `validate_data`."""

    suite: Path = Field(
        default=DEFAULT_SUITE,
        description="Great Expectations suite, relative to the project; suites/NAME may be shipped",
    )
    on_fault: Literal["stop", "quarantine"] = Field(
        default="stop", description="critical fault: stop the run, or leave the failing samples out"
    )
    max_quarantined: float = Field(default=0.05, ge=0, le=1, description="share of samples; more stops the run anyway")


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
    from edgeloop.data.page import page
    from edgeloop.data.profile import Profile
    from edgeloop.data.suite import read_suite, suite_file

    path = suite_file(params.suite)
    suite = read_suite(path)
    opened = Dataset(dataset)
    decision = decided(
        opened.rows,
        _checks(suite, dataset, path),
        suite=suite.record,
        on_fault=params.on_fault,
        max_quarantined=params.max_quarantined,
    )
    write_text(report, page(opened, Profile.of(profile), decision.verdict))
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
    from edgeloop.data.preparation import PrepareDataParams, prepare

    dataset, profile = workdir / "dataset", workdir / "profile.json"
    prepare(PrepareDataParams(source="image_folder", path=folder), dataset=dataset, profile=profile)
    return validate(
        ValidateDataParams(suite=suite or DEFAULT_SUITE),
        dataset=dataset,
        profile=profile,
        validation=workdir / "validation",
        report=workdir / "report.html",
    )


def _checks(suite: "Suite", dataset: Path, path: Path) -> "Sequence[Checked]":
    from edgeloop.data.frame import frame_of
    from edgeloop.data.suite import checked

    checks = []
    frame = frame_of(dataset)
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
