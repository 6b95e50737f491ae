"""DVC for real, on the smallest scenario: what runs, what does not, and what a colleague gets."""

import json
import re
from pathlib import Path

import pytest

from components import STEPS
from pipelines import stages

pytestmark = pytest.mark.slow

ALL = ["devices", *STEPS]
AFTER = {step: list(STEPS)[list(STEPS).index(step) :] for step in STEPS}
BUCKET = "models"


def ran(output):
    """The stages that a `dvc repro` ran, in its order."""
    return re.findall(r"^Running stage '(\w+)'", output, re.MULTILINE)


def digest_of(project):
    return json.loads((project / "artifacts/register/bundle.meta.json").read_text())["metadata"]["subject_digest"]


@pytest.fixture
def project(reproduced, command):
    """The reproduced project; a test may change it."""
    yield reproduced.folder
    command(reproduced.folder, "git", "checkout", "-q", ".")
    command(reproduced.folder, "dvc", "checkout", "-q", "--force")


def test_the_first_repro_runs_every_stage(reproduced):
    assert ran(reproduced.output) == ALL


def test_the_subject_is_that_of_a_run_by_kfp(reproduced, pristine):
    assert json.loads(pristine.output)["subject_digest"] == reproduced.subject_digest


def test_a_second_repro_runs_none(project, command):
    output = command(project, "dvc", "repro").stdout
    assert ran(output) == []
    assert "up to date" in output


def test_what_running_leaves_in_source_folders_does_not_count(project, command):
    for litter in ("edgeloop/__pycache__/another.pyc", "components/.ruff_cache/0.1/another", "edgeloop/.x.partial"):
        (project / litter).parent.mkdir(parents=True, exist_ok=True)
        (project / litter).write_bytes(b"litter")
    assert ran(command(project, "dvc", "repro", "--dry").stdout) == []
    (project / "edgeloop/another.py").write_text("")
    assert ran(command(project, "dvc", "repro", "--dry").stdout) == ALL
    (project / "edgeloop/another.py").unlink()


def test_other_training_trains_again_and_what_follows_is_due(project, command):
    text = (project / "params.yaml").read_text()
    assert "epochs: 4" in text
    (project / "params.yaml").write_text(text.replace("epochs: 4", "epochs: 3"))
    assert ran(command(project, "dvc", "repro", "train").stdout) == ["train"]
    due = ran(command(project, "dvc", "repro", "--dry").stdout)
    # a dry run tells the stages that read what has changed, not what comes after those
    assert due[:2] == ["check_params", "convert"]
    assert set(due) <= {"check_params", "convert", "register"}


def test_data_elsewhere_needs_stages_that_know_it(project, command):
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("on_fault: stop", "suite: suites/mine.json"))
    (project / "suites/mine.json").write_text((project / "suites/images.json").read_text())
    with pytest.raises(AssertionError, match="run: python -m pipelines dvc"):
        command(project, "dvc", "repro", "check_params")
    (project / "suites/mine.json").unlink()


def versions_of(project, command):
    return json.loads(command(project, "python", "-m", "edgeloop", "registry", "list", "digits-smoke", "--json").stdout)


def aliases_of(versions):
    return {alias: version["version"] for version in versions for alias in version["aliases"]}


@pytest.mark.long
def test_a_queued_experiment_runs_what_follows_and_moves_no_alias(project, command):
    before = versions_of(project, command)
    command(project, "dvc", "exp", "run", "--queue", "--name", "small", "-S", "select.prefer=size")
    command(project, "dvc", "exp", "run", "--run-all")
    assert ran(command(project, "dvc", "queue", "logs", "small").stdout) == ["check_params", *AFTER["select"]]
    after = versions_of(project, command)
    assert aliases_of(after) == aliases_of(before)
    assert "experiment small moves no alias" in after[-1]["tags"]["promotion"], "the registry is that of the project"


def test_metrics_show_accuracy_latency_and_size_of_every_variant(project, command):
    shown = json.loads(command(project, "dvc", "metrics", "show", "--json").stdout)[""]["data"]
    measured = shown["artifacts/benchmark/measurements/metrics.json"]["data"]
    assert {name.partition("@")[0] for name in measured} == {"onnx-fp32", "onnx-int8"}
    for numbers in measured.values():
        assert set(numbers) == {"accuracy", "p90_upper_ms", "size_bytes"}
        assert all(value > 0 for value in numbers.values())


def test_plots_draw_the_curves_and_the_confusion_matrix(project, command, tmp_path):
    command(project, "dvc", "plots", "show", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    for title in ("Loss over epochs", "metric on val over epochs", "Confusion matrix"):
        assert title in page
    assert page.count('"val_loss"') >= 4, "an epoch each"


@pytest.fixture(scope="module")
def bucket():
    """The address of an S3 server with an empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=endpoint, **keys).create_bucket(Bucket=BUCKET)
    yield endpoint
    server.stop()


def pulled(reproduced, command, place, remote):
    """A clone of the reproduced project that pulled everything from the remote that the project pushed to."""
    command(place.parent, "git", "clone", "-q", str(reproduced.folder), str(place))
    for folder, verb in ((reproduced.folder, "push"), (place, "pull")):
        for words in remote:
            command(folder, "dvc", "remote", *words)
        command(folder, "dvc", verb)
    return place


def test_a_clone_pulls_from_a_folder_and_runs_nothing(reproduced, command, tmp_path):
    remote = [["add", "--local", "--default", "--force", "store", str(tmp_path / "remote")]]
    clone = pulled(reproduced, command, tmp_path / "clone", remote)
    assert ran(command(clone, "dvc", "repro").stdout) == []
    assert digest_of(clone) == reproduced.subject_digest


@pytest.fixture(scope="module")
def clone(reproduced, command, bucket, tmp_path_factory):
    """A clone that pulled everything from S3."""
    remote = [
        ["add", "--local", "--default", "--force", "store", f"s3://{BUCKET}/edgeloop"],
        ["modify", "--local", "store", "endpointurl", bucket],
    ]
    return pulled(reproduced, command, tmp_path_factory.mktemp("colleague") / "clone", remote)


def test_a_clone_on_the_same_machine_runs_nothing(reproduced, clone, command):
    assert ran(command(clone, "dvc", "repro").stdout) == []
    assert digest_of(clone) == reproduced.subject_digest


def elsewhere(command, project, scratch, faked):
    """`dvc repro` where the files of /proc in `faked` say something else."""
    script = []
    for number, (path, text) in enumerate(faked.items()):
        (scratch / str(number)).write_text(text)
        script.append(f"mount --bind {scratch / str(number)} {path}")
    return command(project, "unshare", "--mount", "sh", "-c", " && ".join([*script, "dvc repro"])).stdout


@pytest.mark.privileged
def test_another_boot_asks_the_machine_and_runs_nothing_more(clone, command, tmp_path):
    output = elsewhere(command, clone, tmp_path, {stages.BOOT_ID: "another boot\n"})
    assert ran(output) == ["devices"]


@pytest.mark.long
@pytest.mark.privileged
def test_another_machine_measures_again_and_gets_the_same_subject(reproduced, clone, command, tmp_path):
    cpu = re.sub(r"(?m)^model name\s*:.*$", "model name\t: Another CPU", Path("/proc/cpuinfo").read_text())
    output = elsewhere(command, clone, tmp_path, {stages.BOOT_ID: "another machine\n", "/proc/cpuinfo": cpu})
    # the fake device measures the same again, so DVC may bring back what evaluate made of it
    assert [step for step in ran(output) if step != "evaluate"] == ["devices", "benchmark", "select", "register"]
    assert digest_of(clone) == reproduced.subject_digest
