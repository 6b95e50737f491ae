"""The release pipeline whole, with this machine measured: the one run in which no clock is scripted."""

import platform

import pytest

from edgeloop.benchmarking import BenchmarkReport
from edgeloop.selection import Selection

pytestmark = [pytest.mark.slow, pytest.mark.quiet]


@pytest.fixture(scope="module")
def project(tmp_path_factory, copied, python):
    folder = copied(tmp_path_factory.mktemp("measured") / "project")
    ended = python(folder, "-m", "pipelines", "run", "--scenario", "smoke")
    assert ended.returncode == 0, ended.stderr
    return folder


def test_every_candidate_was_measured_on_this_machine(project):
    report = BenchmarkReport.read(project / "artifacts/benchmark/measurements/report.json")
    assert len(report.rows) >= 2
    assert report.environments["local"]["before"]["architecture"] == platform.machine()
    for row in report.rows:
        assert row.status == "pass", row.reason
        assert 0 < row.latency.minimum_ms <= row.latency.p50.value_ms <= row.latency.p90.upper_ms < 100


def test_the_winner_is_one_of_them(project):
    selection = Selection.read(project / "artifacts/select/selection")
    assert selection.winner in {row.candidate for row in selection.candidates}
