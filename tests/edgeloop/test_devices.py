import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgeloop import plugins
from edgeloop.devices import LOCAL, Device, declared, device_named, fingerprint, probe, probe_local, read_device
from edgeloop.errors import InputFault

BOARD = "name: board\nclass: raspberry-pi-5\ntransport: fake\naddress: latency_us=200\n"


def written(folder: Path, text: str, name: str = "board.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_this_machine_is_declared_without_any_file(tmp_path: Path) -> None:
    assert [device.name for device in declared(tmp_path / "nothing")] == ["local"]


@pytest.mark.parametrize("arguments", [("list",), ("fingerprint",)])
def test_a_folder_that_is_named_and_not_there_is_an_error_of_one_line(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from edgeloop.commands.devices import app

    ended = CliRunner().invoke(app, [*arguments, "--folder", str(tmp_path / "nothing")])
    assert ended.exit_code == 2 and ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and "nothing: is no folder" in ended.stderr


def test_the_shipped_declaration_says_what_holds_without_it(root: Path) -> None:
    assert read_device(root / "manifests/devices/local.yaml") == LOCAL


def test_declarations_are_sorted_by_name(tmp_path: Path) -> None:
    written(tmp_path, BOARD)
    written(tmp_path, BOARD.replace("board", "a-board"), "a-board.yaml")
    assert [device.name for device in declared(tmp_path)] == ["a-board", "board", "local"]


def test_a_file_replaces_what_is_said_of_this_machine(tmp_path: Path) -> None:
    written(tmp_path, "name: local\nclass: laptop\n", "local.yaml")
    assert device_named("local", tmp_path).device_class == "laptop"


def test_every_field_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, BOARD + "labels: {rack: '3'}\nruntimes: [onnxruntime]\nemulated: true\n")
    assert read_device(path) == Device(
        name="board", device_class="raspberry-pi-5", transport="fake", address="latency_us=200",
        labels={"rack": "3"}, runtimes=("onnxruntime",), emulated=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: [", "is not YAML"),
        ("- board", "is not a mapping"),
        ("", "is not a mapping"),
        (BOARD + "adress: x\n", "adress: unknown key; did you mean address"),
        ("name: board\n", "class: Field required"),
        (BOARD.replace("fake", "carrier-pigeon"), "transport: no plug-in named 'carrier-pigeon'; use one of: "),
        (BOARD.replace("board", "other"), "is named 'other' inside"),
        (BOARD + "labels: [a]\n", "labels: "),
        (BOARD + "emulated: perhaps\n", "emulated: "),
    ],
)
def test_a_wrong_declaration_names_file_and_key_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputFault) as caught:
        declared(tmp_path)
    assert caught.value.line().startswith(f"{path}: {complaint}")
    assert "\n" not in caught.value.line()


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputFault, match="is not YAML"):
        declared(tmp_path)


@pytest.mark.parametrize("name", ["a b", "../x", "$(touch x)", "", "-rf", "Ä", "a" * 64, "a;b"])
def test_a_name_that_a_shell_or_a_path_could_read_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Device(name=name, device_class="board")


def test_yaml_that_would_run_code_is_refused(tmp_path: Path) -> None:
    written(tmp_path, f"name: !!python/object/apply:os.system ['touch {tmp_path}/harm']\n")
    with pytest.raises(InputFault, match="is not YAML"):
        declared(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_an_unknown_device_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match=r"no device named 'bord'; add bord\.yaml there or use one of: local"):
        device_named("bord", tmp_path)


def test_every_runtime_says_whether_it_is_there() -> None:
    assert [state.name for state in probe_local().runtimes] == plugins.names("runtimes")


def test_a_device_is_probed_over_its_transport() -> None:
    found = probe(Device(name="board", device_class="board", transport="fake", address=""))
    assert found.environment.kernel == os.uname().release


def test_the_fingerprint_holds_nothing_that_a_day_changes() -> None:
    assert set(fingerprint(LOCAL)) == {"class", "soc", "architecture", "cores", "isa", "ram_gib", "runtimes"}


def test_the_fingerprint_is_the_same_twice() -> None:
    assert fingerprint(LOCAL) == fingerprint(LOCAL)


def test_another_class_is_another_fingerprint() -> None:
    other = LOCAL.model_copy(update={"device_class": "laptop"})
    assert fingerprint(other) != fingerprint(LOCAL)


def test_the_fingerprint_names_the_version_of_every_runtime_that_is_there() -> None:
    assert fingerprint(LOCAL)["runtimes"] == {
        state.name: state.version for state in probe_local().runtimes if state.available
    }


def test_listing_devices_imports_no_numerical_library(root: Path) -> None:
    heavy = "[m for m in ('torch', 'onnxruntime', 'pyarrow', 'pandas') if m in sys.modules]"
    code = f"import sys; from edgeloop.devices import declared; declared(); print({heavy})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
