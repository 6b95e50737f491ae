import pytest

from edgeloop.benchmarking.messages import Peak, asked
from edgeloop.errors import DeviceFault, EdgeloopError, MissingExtra, ModelFault


class Parrot:
    """Answers every question with the same line."""

    def __init__(self, line: str) -> None:
        self.line = line

    def ask(self, line: str, *, timeout_s: float) -> str:
        return self.line

    def close(self) -> None:
        pass


def ask(line: str) -> Peak:
    return asked(Parrot(line), "peak", Peak, timeout_s=1)


def test_an_answer_is_a_value() -> None:
    assert ask('{"answer": {"peak_memory_bytes": 5}}') == Peak(peak_memory_bytes=5)


@pytest.mark.parametrize(
    "line",
    [
        "", "Segmentation fault", "[]", "3", "null", "{}", '{"answer": null}', '{"answer": {"peak_memory_bytes": -1}}',
        '{"answer": {"peak_memory_bytes": 5, "more": 1}}', '{"fault": 3}', '{"fault": {}}', "[" * 100_000,
        '{"answer": {"peak_memory_bytes": NaN}}',
    ],
)  # fmt: skip
def test_rubbish_is_the_fault_of_the_device(line: str) -> None:
    with pytest.raises(DeviceFault, match="answered with rubbish"):
        ask(line)


@pytest.mark.parametrize(("kind", "expected"), [("ModelFault", ModelFault), ("MissingExtra", MissingExtra)])
def test_a_fault_that_the_worker_tells_keeps_its_kind(kind: str, expected: type[EdgeloopError]) -> None:
    with pytest.raises(expected) as caught:
        ask(f'{{"fault": {{"kind": "{kind}", "line": "no"}}}}')
    assert caught.value.facts["told_by_worker"] is True


@pytest.mark.parametrize("kind", ["KeyError", "EdgeloopError", "translated", "__name__", "GateRefused"])
def test_a_kind_that_a_worker_has_no_right_to_is_the_fault_of_the_device(kind: str) -> None:
    with pytest.raises(DeviceFault):
        ask(f'{{"fault": {{"kind": "{kind}", "line": "no"}}}}')


def test_a_long_complaint_is_shortened() -> None:
    with pytest.raises(DeviceFault) as caught:
        ask(f'{{"fault": {{"kind": "X", "line": "{"x" * 10_000}"}}}}')
    assert len(caught.value.line()) <= 500
