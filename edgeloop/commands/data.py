"""`edgeloop data`."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgeloop.commands import Debug, Json
from edgeloop.errors import EXIT_GATE, InputFault
from edgeloop.files import copy_file, whole_file, write_json, write_text
from edgeloop.terminal import exiting, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from edgeloop.data.anomalies import Anomaly
    from edgeloop.data.preparation import PrepareDataParams
    from edgeloop.data.profile import Profile
    from edgeloop.data.quarantine import CleanSet
    from edgeloop.data.statistics import ColumnStatistics, TableStatistics
    from edgeloop.data.validation import Judgement
    from edgeloop.data.verdict import Verdict

app = typer.Typer(no_args_is_help=True)

Place = Annotated[
    Path | None,
    typer.Argument(help="Folder or file of the samples, or an address such as s3://bucket/data; digits needs none."),
]
Source = Annotated[str | None, typer.Option("--source", help="Plug-in of edgeloop.data.sources; else guessed.")]
Options = Annotated[
    list[str] | None, typer.Option("-o", "--option", metavar="KEY=VALUE", help="Of the source; may be repeated.")
]
Suite = Annotated[Path | None, typer.Option("--suite", help="Great Expectations suite; else the shipped one.")]
Environment = Annotated[
    str, typer.Option("--environment", help="training, or serving: without labels and splits.", show_default=True)
]
Fewest = Annotated[
    int | None, typer.Option("--min-class-samples", min=3, help="A class with fewer samples is refused.")
]
SplitBy = Annotated[
    str | None, typer.Option("--split-by", help="class, time, or given: the splits that the data itself has.")
]


Memory = Annotated[
    int, typer.Option("--memory", min=100, help="MiB for a table that is too large to be held.", show_default=True)
]
MEMORY_MIB = 500


@app.callback()
def group() -> None:
    """Datasets."""


@app.command()
def validate(
    path: Place = None,
    source: Source = None,
    option: Options = None,
    suite: Suite = None,
    environment: Environment = "training",
    min_class_samples: Fewest = None,
    split_by: SplitBy = None,
    report: Annotated[Path | None, typer.Option("--report", help="Keep the page for people here.")] = None,
    memory: Memory = MEMORY_MIB,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Judge data by a suite, and name what changed. Exit code 1 when the verdict is no."""
    with exiting(debug=debug):
        chosen = _chosen(path, source, option, min_class_samples, split_by)
        with tempfile.TemporaryDirectory() as scratch:
            judgement = _judged(chosen, Path(scratch), suite, environment, memory=memory, report=report)
            if report is not None:
                with whole_file(report) as partial:
                    copy_file(Path(scratch) / "report.html", partial)
        verdict = judgement.verdict
        if as_json:
            rest = judgement.values()
            print_json({**rest.pop("verdict"), **rest})
        else:
            _print_verdict(path or judgement.source, verdict)
            _print_anomalies(judgement.anomalies)
        if verdict.status != "pass":
            raise typer.Exit(EXIT_GATE)


@app.command()
def infer(
    path: Place = None,
    source: Source = None,
    option: Options = None,
    min_class_samples: Fewest = None,
    split_by: SplitBy = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; else the suite goes to stdout.")] = None,
    memory: Memory = MEMORY_MIB,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Propose a suite from data, to be reviewed. A file that exists is never replaced."""
    with exiting(debug=debug):
        from edgeloop.data.inference import suite_text

        if out is not None and out.exists():
            raise InputFault("exists already", where=str(out), fix="it may have been reviewed: choose another name")
        chosen = _chosen(path, source, option, min_class_samples, split_by)
        with tempfile.TemporaryDirectory() as scratch:
            name = out.stem if out is not None else chosen.source
            suite = _proposed(chosen, Path(scratch), name, memory=memory)
        if out is None:
            print(suite_text(suite), end="")
            return
        write_text(out, suite_text(suite))
        counted = {"suite": str(out), "source": chosen.source, **_by_severity(suite["expectations"])}
        print_json(counted) if as_json else print_pairs({key: str(value) for key, value in counted.items()})


@app.command()
def profile(
    path: Place = None,
    source: Source = None,
    option: Options = None,
    like: Annotated[
        Path | None, typer.Option("--like", help="Profile of a table whose bins are taken, so that both merge.")
    ] = None,
    merge: Annotated[
        tuple[Path, Path] | None, typer.Option("--merge", help="Profiles of two parts of a table, for that of both.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write as JSON.")] = None,
    memory: Memory = MEMORY_MIB,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Sum data up: of a table its statistics, whatever its size; of other sources the profile of prepare_data."""
    with exiting(debug=debug):
        from edgeloop.data.large_tables.summary import merged_files

        if merge is not None and (path is not None or source is not None):
            raise InputFault("takes the place of the data", where="--merge", fix="leave the path and --source out")
        found = merged_files(*merge) if merge is not None else _profiled(path, source, option, like, memory=memory)
        if out is not None:
            write_json(out, found.values())
        print_json(found.values()) if as_json else _print_profile(found)


@app.command()
def quarantine(
    path: Annotated[Path, typer.Argument(help="Folder or file of the samples.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; must not exist yet, or be empty.")],
    source: Source = None,
    option: Options = None,
    suite: Suite = None,
    environment: Environment = "training",
    min_class_samples: Fewest = None,
    split_by: SplitBy = None,
    max_quarantined: Annotated[
        float | None, typer.Option("--max-quarantined", min=0, max=1, help="Share of the samples; more is a no.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the samples that pass to another folder, in the same layout. Exit code 1 when the verdict is no."""
    with exiting(debug=debug):
        from edgeloop.data import quarantine as cleaning

        chosen = _chosen(path, source, option, min_class_samples, split_by)
        with tempfile.TemporaryDirectory() as scratch:
            clean = cleaning.quarantine(
                chosen,
                out=out,
                workdir=Path(scratch),
                suite=suite,
                environment=environment,
                max_quarantined=max_quarantined,
                dry_run=dry_run,
            )
        print_json(clean.values()) if as_json else _print_clean_set(clean)
        if clean.verdict.status != "pass":
            raise typer.Exit(EXIT_GATE)


@app.command()
def push(
    path: Annotated[Path, typer.Argument(help="Folder or file of the samples.")],
    address: Annotated[str, typer.Argument(help="Where a cluster reads it, such as s3://bucket/data.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and send nothing.")] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy data to any address that fsspec writes; what is there already is not sent again."""
    with exiting(debug=debug):
        from edgeloop.data.pushing import push as pushed

        done = pushed(path, address, dry_run=dry_run)
        if as_json:
            print_json(done.values())
        else:
            print_pairs(
                {
                    "address": done.address,
                    "would be sent" if dry_run else "sent": f"{done.sent} files, {done.sent_bytes:,} bytes",
                    "there already": f"{done.kept} files",
                    "parameter": f"prepare_data.url: {done.address}",
                }
            )


def _chosen(
    path: Path | None,
    source: str | None,
    options: Sequence[str] | None,
    min_class_samples: int | None,
    split_by: str | None,
) -> "PrepareDataParams":
    """How the data is read; a guess is said on stderr."""
    from edgeloop.data.recognition import address_of, preparation, recognised

    if source is None and path is not None and address_of(path) is None:
        guess = recognised(path, options or ())
        print(f"{path}: read as {guess.source} ({guess.because}); --source names another", file=sys.stderr)
        source = guess.source
    return preparation(
        path, source=source, options=options or (), min_class_samples=min_class_samples, split_by=split_by
    )


def _judged(
    chosen: "PrepareDataParams",
    workdir: Path,
    suite: Path | None,
    environment: str,
    *,
    memory: int,
    report: Path | None,
) -> "Judgement":
    """The judgement on data of any size; what is read out of core is said on stderr."""
    from edgeloop.data.large_tables.judgement import is_large, judge_large
    from edgeloop.data.validation import judge

    if not is_large(chosen):
        return judge(chosen, suite=suite, environment=environment, workdir=workdir)
    _say_out_of_core(chosen, memory)
    page = None if report is None else workdir / "report.html"
    return judge_large(chosen, suite=suite, environment=environment, workdir=workdir, memory_mib=memory, report=page)


def _proposed(chosen: "PrepareDataParams", workdir: Path, name: str, *, memory: int) -> dict[str, Any]:
    """The suite proposed from data of any size."""
    from edgeloop.data.large_tables.judgement import is_large
    from edgeloop.data.large_tables.proposal import proposal_for_large

    if is_large(chosen):
        _say_out_of_core(chosen, memory)
        return proposal_for_large(chosen, workdir=workdir, name=name, memory_mib=memory)
    from edgeloop.data.inference import inferred_suite
    from edgeloop.data.preparation import prepare

    dataset, described = workdir / "dataset", workdir / "profile.json"
    prepare(chosen, dataset=dataset, profile=described)
    return inferred_suite(dataset, described, name=name)


def _profiled(
    path: Path | None, source: str | None, options: Sequence[str] | None, like: Path | None, *, memory: int
) -> "TableStatistics | Profile":
    from edgeloop.data.large_tables.judgement import SOURCE
    from edgeloop.data.large_tables.summary import statistics_of_table
    from edgeloop.data.preparation import prepare
    from edgeloop.data.profile import Profile

    chosen = _chosen(path, source, options, None, None)
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.source == SOURCE:
            return statistics_of_table(chosen, workdir=Path(scratch), memory_mib=memory, like=like)
        if like is not None:
            raise InputFault("is of tables only", where="--like", fix="leave it out")
        prepare(chosen, dataset=Path(scratch) / "dataset", profile=Path(scratch) / "profile.json")
        return Profile.of(Path(scratch) / "profile.json")


def _print_profile(found: "TableStatistics | Profile") -> None:
    from edgeloop.data.profile import Profile

    if isinstance(found, Profile):
        title = f"{found.samples:,} samples, {found.unreadable:,} unreadable; the training split of"
        columns = found.features
    else:
        title, columns = f"{found.rows:,} rows of", found.columns
    print_table(
        f"{title} {len(columns)} columns",
        ["column", "kind", "values", "nulls", "least", "mean", "largest", "different", "most frequent"],
        [_profile_row(column) for column in columns],
    )


def _profile_row(column: "ColumnStatistics") -> list[str]:
    figures = ["" if value is None else f"{value:.6g}" for value in (column.minimum, column.mean, column.maximum)]
    about = {"exact": "", "approximate": "about ", "at least": "at least "}[column.distinct_is]
    different = "" if column.distinct is None else f"{about}{column.distinct:,}"
    frequent = str(column.listed[0].value)[:24] if column.listed and column.kind == "text" else ""
    return [column.name, column.kind, f"{column.count:,}", f"{column.nulls:,}", *figures, different, frequent]


def _say_out_of_core(chosen: "PrepareDataParams", memory: int) -> None:
    print(f"{chosen.path}: too large to be held, so it is read out of core with {memory} MiB", file=sys.stderr)


def _print_verdict(where: Path | str, verdict: "Verdict") -> None:
    left_out = verdict.suite.left_out
    without = f"; {left_out} expectations of other environments left out" if left_out else ""
    print_table(
        f"{where}: {verdict.status} ({verdict.reason}{without})",
        ["expectation", "column", "severity", "status", "failing"],
        [[r.says or r.name, _few(r.column), r.severity, r.status, str(r.failing)] for r in verdict.expectations],
    )


def _few(columns: str | None) -> str:
    """The columns of an expectation, or how many where they are many."""
    names = (columns or "").split(", ")
    return columns or "" if len(names) <= 3 else f"{len(names)} columns"


def _print_anomalies(found: Sequence["Anomaly"]) -> None:
    import json

    if found:
        print("\nWhat changed: if the data is right, put the edit in the suite, else do what is said first.")
    for anomaly in found:
        status = "" if anomaly.status == "fail" else "could not check: "
        print(f"\n{anomaly.severity}: {status}{anomaly.line()}\n  {anomaly.remedy}")
        if anomaly.edit is not None:
            print(f"  edit: {json.dumps(anomaly.edit, ensure_ascii=False)}")


def _by_severity(expectations: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = {name: sum(e.get("severity") == name for e in expectations) for name in ("critical", "warning", "info")}
    return {"expectations": len(expectations), **counts}


def _print_clean_set(clean: "CleanSet") -> None:
    verdict = clean.verdict
    files = f"{clean.linked + clean.copied} files, {clean.linked} of them hard links"
    pairs = {
        "verdict": f"{verdict.status} ({verdict.reason})",
        "samples": f"{verdict.samples}",
        "accepted": f"{sum(verdict.accepted.values())}",
        "left out": f"{verdict.quarantined}",
        **{f"  {expectation}": str(count) for expectation, count in clean.reasons.items()},
        "written": f"{clean.out} ({files})" if clean.out else "nothing",
    }
    print_pairs(pairs)
