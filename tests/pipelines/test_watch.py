"""Windows that go wrong while nobody watches: each is told, none ends the watch."""

import json

import pytest

from edgeloop.errors import EnvironmentFault
from edgeloop.params import Params
from pipelines import watch as watching

MODEL = "digits@champion-workstation"


def windows(folder, *names):
    for name in names:
        (folder / name).write_text("mean,std\n")
    return folder


def outcome_of(state):
    return watching.Outcome("sha256:0", state, "because", seen_before=False, registration={})


def test_a_window_that_cannot_be_read_keeps_no_other_from_being_looked_at(tmp_path, capsys):
    (tmp_path / "bad.csv").write_text("mean,mean\n1,2\n")
    code = watching.watch(Params(), windows(tmp_path, "empty.csv"), model=MODEL, every_s=1, rounds=1)
    told = capsys.readouterr()
    assert told.out == ""
    assert sorted(line.partition(": ")[0] for line in told.err.splitlines()) == [
        str(tmp_path / "bad.csv"), str(tmp_path / "empty.csv"),
    ]  # fmt: skip
    assert code in (2, 3)


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ([ZeroDivisionError("by zero"), outcome_of("kept")], 3),
        ([EnvironmentFault("another run is under way"), outcome_of("refused")], 3),
        ([outcome_of("refused"), outcome_of("registered")], 1),
        ([outcome_of("kept"), outcome_of("registered")], 0),
    ],
)
def test_the_exit_code_of_a_round_is_the_highest_of_its_windows(ends, code, tmp_path, capsys, monkeypatch):
    left = iter(ends)

    def monitor(params, *, model, telemetry):
        if isinstance(end := next(left), Exception):
            raise end
        return end

    monkeypatch.setattr(watching, "monitor", monitor)
    assert watching.watch(Params(), windows(tmp_path, "a.csv", "b.csv"), model=MODEL, every_s=1, rounds=1) == code
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == sum(isinstance(end, Exception) for end in ends)
    assert [json.loads(line)["state"] for line in told.out.splitlines()] == [
        end.state for end in ends if isinstance(end, watching.Outcome)
    ]


def test_a_round_without_windows_is_done(tmp_path):
    assert watching.watch(Params(), tmp_path, model=MODEL, every_s=1, rounds=1) == 0
