"""The process on the device, on a clock of the test's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop.benchmarking.resident import Clock, Resident
from edgeloop.canonical import sha256_of_file


class Time:
    """Moves by 50 ns at every reading, and by the latency of every query."""

    def __init__(self, latency_ns: Callable[[int], float]) -> None:
        self.now_ns, self.queries, self.latency_ns = 0.0, 0, latency_ns

    def wall_ns(self) -> int:
        self.now_ns += 50
        return int(self.now_ns)

    def run(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        self.now_ns += self.latency_ns(self.queries)
        self.queries += 1
        return {"logits": inputs.reshape(len(inputs), -1)[:, :2]}

    def close(self) -> None:
        pass


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    path.write_text("{}")
    return path


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    np.savez(tmp_path / "inputs.npz", inputs=np.arange(12, dtype=np.float32).reshape(3, 1, 2, 2))
    return tmp_path / "inputs.npz"


Resided = Callable[..., tuple[Resident, Time]]


@pytest.fixture
def resident(tmp_path: Path, model: Path, inputs: Path) -> Resided:
    def made(latency_ns: Callable[[int], float] = lambda _: 1e6) -> tuple[Resident, Time]:
        time = Time(latency_ns)
        clock = Clock(wall_ns=time.wall_ns, process_ns=lambda: int(time.now_ns))
        made = Resident(tmp_path, clock=clock, opener=lambda *_: time)
        answer(
            made, "load", runtime="fake", file=str(model), sha256=sha256_of_file(model), threads=1, inputs=str(inputs)
        )
        return made, time

    return made


def reply(resident: Resident, verb: str, **arguments: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resident.reply(json.dumps({"do": verb, **arguments})))
    return found


def answer(resident: Resident, verb: str, **arguments: Any) -> dict[str, Any]:
    found = reply(resident, verb, **arguments)
    assert "answer" in found, found
    return found["answer"]


def warm_up(resident: Resident, limit_ns: int = 10**9) -> dict[str, Any]:
    return answer(resident, "warm_up", queries=20, duration_ns=10**7, limit_ns=limit_ns, settled=0.05)


def test_warm_up_meets_both_minima(resident: Resided) -> None:
    found, time = resident(lambda _: 1000)
    warmed = warm_up(found)
    assert warmed["queries"] >= 20 and time.now_ns >= 10**7


def test_warm_up_goes_on_until_the_latency_settles(resident: Resided) -> None:
    found, _ = resident(lambda n: 1e6 * max(1.0, 8 - n / 10))
    assert warm_up(found)["query_ns"] == pytest.approx(1e6, rel=0.05)


def test_warm_up_of_what_never_settles_ends_at_the_limit(resident: Resided) -> None:
    found, time = resident(lambda n: 1e6 * 1.1**n)
    warm_up(found, limit_ns=10**8)
    assert time.now_ns < 10**9


def test_a_slow_query_is_timed_alone(resident: Resided) -> None:
    found, _ = resident(lambda _: 2600)
    assert warm_up(found)["block"] == 1


def test_a_block_lasts_fifty_times_what_the_clock_costs(resident: Resided) -> None:
    found, _ = resident(lambda _: 300)
    warmed = warm_up(found)
    assert warmed["clock_cost_ns"] == 50
    assert warmed["block"] * 300 >= 50 * 50


def test_the_latency_of_a_block_is_that_of_one_query(resident: Resided) -> None:
    found, _ = resident(lambda _: 300)
    warm_up(found)
    timed = answer(found, "time", queries=10, duration_ns=0)
    assert timed["latencies_ns"] == pytest.approx([300] * 10, rel=0.05)


@pytest.mark.parametrize(("queries", "duration_ns", "expected"), [(100, 0, 100), (1, 50_000_000, 50)])
def test_a_turn_meets_both_minima(resident: Resided, queries: int, duration_ns: int, expected: int) -> None:
    found, _ = resident(lambda _: 1e6)
    timed = answer(found, "time", queries=queries, duration_ns=duration_ns)
    assert len(timed["latencies_ns"]) == expected


def test_garbage_collection_is_on_again_after_a_turn(resident: Resided) -> None:
    import gc

    found, _ = resident()
    answer(found, "time", queries=1, duration_ns=0)
    assert gc.isenabled()


def test_queries_take_turns_through_the_inputs(resident: Resided, monkeypatch: pytest.MonkeyPatch) -> None:
    found, time = resident()
    seen: list[float] = []
    run = time.run
    monkeypatch.setattr(time, "run", lambda inputs: (seen.append(float(inputs.flat[0])), run(inputs))[1])
    answer(found, "time", queries=4, duration_ns=0)
    assert seen == [4, 8, 0, 4]


def test_outputs_are_of_every_sample_in_order(resident: Resided, inputs: Path) -> None:
    found, _ = resident()
    path = answer(found, "outputs", inputs=str(inputs))["path"]
    assert np.load(path)["logits"].tolist() == [[0, 1], [4, 5], [8, 9]]


def test_another_file_than_the_one_that_was_sent_is_refused(tmp_path: Path, model: Path, inputs: Path) -> None:
    found = reply(
        Resident(tmp_path), "load", runtime="fake", file=str(model), sha256="0" * 64, threads=1, inputs=str(inputs)
    )
    assert "is not the file that was sent" in found["fault"]["line"]


def test_a_runtime_that_does_not_exist_is_a_fault_of_that_kind(tmp_path: Path, model: Path, inputs: Path) -> None:
    arguments = {"file": str(model), "sha256": sha256_of_file(model), "threads": 1, "inputs": str(inputs)}
    assert reply(Resident(tmp_path), "load", runtime="warp", **arguments)["fault"]["kind"] == "PluginFault"


@pytest.mark.parametrize("line", ["", "rubbish", "[]", "{}", '{"do": "fly"}', '{"do": "time", "queries": 1}', "null"])
def test_a_question_that_makes_no_sense_is_answered_with_a_fault(tmp_path: Path, line: str) -> None:
    assert "fault" in json.loads(Resident(tmp_path).reply(line))


def test_a_runtime_that_fails_while_running_is_a_fault(resident: Resided, monkeypatch: pytest.MonkeyPatch) -> None:
    found, time = resident()

    def broken(_: np.ndarray) -> dict[str, np.ndarray]:
        raise MemoryError("4 GB\nwanted")

    monkeypatch.setattr(time, "run", broken)
    assert "MemoryError" in reply(found, "time", queries=1, duration_ns=0)["fault"]["line"]


def test_time_before_load_is_a_fault(tmp_path: Path) -> None:
    assert "no model is loaded" in reply(Resident(tmp_path), "time", queries=1, duration_ns=0)["fault"]["line"]


def test_where_operators_are_computed_is_told_by_the_loaded_model(tmp_path: Path, model: Path, inputs: Path) -> None:
    made = Resident(tmp_path)
    answer(made, "load", runtime="fake", file=str(model), sha256=sha256_of_file(model), threads=1, inputs=str(inputs))
    assert answer(made, "placement")["placement"]["providers"] == {"fake": 1}


def test_a_runtime_that_does_not_tell_answers_null(resident: Resided) -> None:
    assert answer(resident()[0], "placement") == {"placement": None}
