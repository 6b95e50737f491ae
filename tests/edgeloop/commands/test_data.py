"""`edgeloop data`: streams, exit codes and one-line errors."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgeloop.__main__ import app


def run(*arguments: object):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve pictures of each of two classes."""
    for label, seed in (("cat", 0), ("dog", 100)):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(12):
            pixels = np.random.default_rng(seed + number).integers(0, 256, (12, 12), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{number:02d}.png")
    return tmp_path / "pictures"


def test_a_proposal_goes_to_stdout_and_the_guess_to_stderr(pictures):
    ended = run("infer", pictures)
    assert (ended.exit_code, json.loads(ended.stdout)["name"]) == (0, "image_folder")
    assert "read as image_folder" in ended.stderr


def test_a_proposal_is_named_after_its_file(pictures, tmp_path):
    ended = run("infer", pictures, "--out", tmp_path / "suites/mine.json", "--json")
    assert json.loads((tmp_path / "suites/mine.json").read_text())["name"] == "mine"
    said = json.loads(ended.stdout)
    assert said["expectations"] == said["critical"] + said["warning"] + said["info"]


def test_a_reviewed_suite_is_never_replaced(pictures, tmp_path):
    (tmp_path / "mine.json").write_text("reviewed")
    ended = run("infer", pictures, "--out", tmp_path / "mine.json")
    assert (ended.exit_code, (tmp_path / "mine.json").read_text()) == (2, "reviewed")
    assert "exists already" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("validate", "nowhere"), "nowhere: does not exist"),
        (("validate",), "needs a path or a source"),
        (("validate", "PICTURES", "--environment", "servin"), "did you mean serving?"),
        (("validate", "PICTURES", "--source", "image_foldr"), "did you mean image_folder?"),
        (("validate", "PICTURES", "-o", "x=1"), "unknown key"),
        (("validate", "PICTURES", "--suite", "nowhere.json"), "nowhere.json: does not exist"),
        (("quarantine", "PICTURES", "PICTURES/clean"), "lies inside"),
        (("quarantine", "PICTURES", "clean", "--source", "digits"), "cannot be written"),
    ],
)
def test_what_the_user_got_wrong_is_one_line_and_exit_code_2(pictures, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    ended = run(*(argument.replace("PICTURES", "pictures") for argument in arguments))
    last = ended.stderr.splitlines()[-1]
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert last.startswith("error: ")
    assert reason in last


def test_no_suite_for_a_kind_is_said_clearly(monkeypatch, tmp_path):
    monkeypatch.setattr("edgeloop.data.suite.SUITE_OF_KIND", {})
    (tmp_path / "a.csv").write_text("x\n1\n")
    ended = run("validate", tmp_path / "a.csv")
    assert (ended.exit_code, "no suite is shipped for window samples" in ended.stderr) == (2, True)


@pytest.mark.slow  # Great Expectations takes seconds to import
def test_a_change_is_named_with_its_edit(pictures, tmp_path):
    suite = tmp_path / "mine.json"
    run("infer", pictures, "--out", suite)
    for place in sorted(pictures.glob("cat/*.png"))[:6]:
        Image.open(place).resize((40, 40)).save(place)
    said = json.loads(run("validate", pictures, "--suite", suite, "--json").stdout)
    (width,) = [a for a in said["anomalies"] if a["expectation"]["kwargs"].get("column") == "width"]
    assert (said["status"], width["edit"]["kwargs"]["max_value"]) == ("pass", 40)
    text = run("validate", pictures, "--suite", suite).stdout
    assert "expected width of 12 in 91 % of the samples, found 6 above, up to 40, 6 samples" in text
    assert f"edit: {json.dumps(width['edit'], ensure_ascii=False)}" in text


@pytest.mark.slow
def test_serving_leaves_out_what_needs_labels_and_says_how_many(pictures, tmp_path):
    suite = tmp_path / "mine.json"
    run("infer", pictures, "--out", suite)
    expectations = json.loads(suite.read_text())["expectations"]
    of_training = sum("meta" in expectation for expectation in expectations)
    ended = run("validate", pictures, "--suite", suite, "--environment", "serving")
    assert f"{of_training} expectations of other environments left out" in ended.stdout
    assert "class" not in ended.stdout.splitlines()[5]


@pytest.mark.slow
def test_a_verdict_of_no_is_exit_code_1(pictures, tmp_path):
    (pictures / "dog/copy.png").write_bytes((pictures / "cat/01.png").read_bytes())
    ended = run("validate", pictures)
    assert (ended.exit_code, "What changed" in ended.stdout) == (1, True)


@pytest.mark.slow
def test_a_quarantine_tells_what_it_did(pictures, tmp_path):
    (pictures / "dog/bad.png").write_bytes(b"rubbish")
    ended = run("quarantine", pictures, tmp_path / "clean", "--json")
    said = json.loads(ended.stdout)
    assert (ended.exit_code, said["linked"] + said["copied"], said["out"]) == (0, 24, str(tmp_path / "clean"))


@pytest.mark.slow
def test_too_much_to_leave_out_is_exit_code_1(pictures, tmp_path):
    (pictures / "dog/bad.png").write_bytes(b"rubbish")
    ended = run("quarantine", pictures, tmp_path / "clean", "--max-quarantined", "0")
    assert (ended.exit_code, (tmp_path / "clean").exists()) == (1, False)


@pytest.mark.slow
def test_a_source_without_a_path_is_judged(tmp_path):
    assert run("validate", "--source", "digits").exit_code == 0


def test_a_push_says_what_it_sent_and_a_second_one_sends_nothing(pictures, tmp_path):
    address = (tmp_path / "there").as_uri()
    assert json.loads(run("push", pictures, address, "--json").stdout)["sent"] == 24
    assert json.loads(run("push", pictures, address, "--json").stdout)["sent"] == 0


def test_a_dry_push_leaves_nothing(pictures, tmp_path):
    ended = run("push", pictures, (tmp_path / "there").as_uri(), "--dry-run")
    assert "would be sent" in ended.stdout
    assert not (tmp_path / "there").exists()


def test_a_push_to_no_address_is_the_users_input(pictures):
    ended = run("push", pictures, "nonsense://there")
    assert ended.exit_code in (2, 3)
    assert ended.stderr.count("\n") <= 2
    assert "Traceback" not in ended.stderr
