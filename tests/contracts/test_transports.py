"""Every transport keeps the promises of `edgeloop.transports`."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeloop import plugins
from edgeloop.benchmarking.worker import arguments
from edgeloop.canonical import sha256_of_file
from edgeloop.errors import DeviceFault, InputFault
from edgeloop.transports import Connection, Conversation, Transport

ADDRESSES: dict[str, str | None] = {"local": None, "fake": ""}
"""Where each shipped transport finds a device that can be tried here."""


@pytest.fixture(params=plugins.names("transports"))
def transport(request: pytest.FixtureRequest) -> Transport:
    return plugins.load("transports", request.param)


@pytest.fixture
def connection(request: pytest.FixtureRequest, transport: Transport) -> Iterator[Connection]:
    name = request.node.callspec.params["transport"]
    assert name in ADDRESSES, f"add an address of {name} to ADDRESSES"
    with transport.connected(ADDRESSES[name]) as connection:
        yield connection


@pytest.fixture
def conversation(connection: Connection) -> Iterator[Conversation]:
    with connection.converse(arguments(1)) as conversation:
        yield conversation


def ask(conversation: Conversation, verb: str, **values: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(conversation.ask(json.dumps({"do": verb, **values}), timeout_s=60))
    return answer


def test_each_question_gets_its_own_answer(conversation: Conversation) -> None:
    answers = [ask(conversation, "peak"), ask(conversation, "fly"), ask(conversation, "peak")]
    assert [next(iter(answer)) for answer in answers] == ["answer", "fault", "answer"]


def test_several_threads_start_and_ask_programs_of_their_own(connection: Connection) -> None:
    def asked(times: int) -> list[str]:
        with connection.converse(arguments(1)) as conversation:
            return [next(iter(ask(conversation, "peak"))) for _ in range(times)]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(asked, range(4))) == [["answer"] * times for times in range(4)]


def test_files_and_folders_get_there_and_back(
    connection: Connection, conversation: Conversation, tmp_path: Path
) -> None:
    folder, inputs = tmp_path / "set", np.arange(8, dtype=np.float32).reshape(2, 1, 2, 2)
    folder.mkdir()
    (folder / "m.json").write_text('{"outputs": {"logits": 3}}')
    np.savez(tmp_path / "inputs.npz", inputs=inputs)
    model, remote = f"{connection.put(folder)}/m.json", connection.put(tmp_path / "inputs.npz")
    sha256 = sha256_of_file(folder / "m.json")
    loaded = ask(conversation, "load", runtime="fake", file=model, sha256=sha256, threads=1, inputs=remote)
    assert "answer" in loaded, loaded
    written = ask(conversation, "outputs", inputs=remote)["answer"]["path"]
    connection.get(written, tmp_path / "outputs.npz")
    expected = plugins.load("runtimes", "fake").open(folder / "m.json", threads=1).run(inputs)["logits"]
    assert np.array_equal(np.load(tmp_path / "outputs.npz")["logits"], expected)


def test_a_file_that_is_not_here_is_refused(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="does not exist"):
        connection.put(tmp_path / "gone")


def test_a_file_that_is_not_there_is_the_fault_of_the_device(connection: Connection, tmp_path: Path) -> None:
    with pytest.raises(DeviceFault):
        connection.get("/nowhere/at/all", tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_a_program_that_ends_is_lost_with_its_last_words(connection: Connection) -> None:
    with (
        pytest.raises(DeviceFault, match="No module"),
        connection.converse(["edgeloop_has_no_such_module"]) as conversation,
    ):
        conversation.ask("{}", timeout_s=60)


def test_a_closed_conversation_gives_no_answer(conversation: Conversation) -> None:
    conversation.close()
    conversation.close()
    with pytest.raises(DeviceFault):
        conversation.ask('{"do": "peak"}', timeout_s=60)


def test_an_address_that_makes_no_sense_is_refused(transport: Transport) -> None:
    with pytest.raises((InputFault, DeviceFault)), transport.connected("no=such&address=$(touch x)") as connection:
        connection.put(Path(__file__))
