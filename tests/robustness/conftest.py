"""One rehearsal in which the smoke scenario has run, for tests that break it and mend it again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edgeloop.bundle import Bundle
from edgeloop.canonical import sha256_of_file
from edgeloop.params import Params
from pipelines import graph

Ended = subprocess.CompletedProcess[str]


def wiring() -> dict[str, list[str]]:
    """For every step: `name=path` of its inputs and outputs, on the places that every engine uses."""
    spec = graph.compiled(Params())
    wired = {}
    for step in graph.order(spec):
        inputs = {edge.input: (edge.producer, edge.output) for edge in graph.edges(spec) if edge.consumer == step}
        read = [f"{name}=artifacts/{producer}/{output}" for name, (producer, output) in sorted(inputs.items())]
        wired[step] = read + [f"{name}=artifacts/{step}/{name}" for name in sorted(graph.outputs(spec, step))]
    return wired


@dataclass(frozen=True)
class Project:
    """A project that is run from outside, as a user does.

    Args:
        folder: Where it lies.
        scenario: Overlay on params.yaml.
        model: Its name in the registry.
        wiring: By step, its inputs and outputs as `python -m components` takes them.
        imported: Forks for its commands, see tests/imported_python.py.
        variables: Of its environment.
    """

    folder: Path
    wiring: Mapping[str, list[str]]
    imported: Any
    scenario: str = "smoke"
    model: str = "digits-smoke"
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **variables: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("EDGELOOP_")}
        path = os.pathsep.join([str(Path(sys.executable).parent), own["PATH"]])
        return {**own, "HOME": str(self.folder), "PATH": path, **self.variables, **variables}

    def python(self, *arguments: str, **variables: str) -> Ended:
        ended: Ended = self.imported.run(self.folder, arguments, self.environment(**variables))
        return ended

    def pipelines(self, *arguments: str, **variables: str) -> Ended:
        return self.python("-m", "pipelines", "run", "--scenario", self.scenario, "--json", *arguments, **variables)

    def step(self, name: str, *arguments: str, **variables: str) -> Ended:
        """One step by `python -m components`; params.yaml holds the scenario."""
        return self.python("-m", "components", name, *self.wiring[name], *arguments, **variables)

    def files(self, step: str) -> dict[str, str]:
        """sha256 of everything below artifacts/<step>, hidden files too."""
        folder = self.folder / "artifacts" / step
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in found}

    @property
    def bundle(self) -> Path:
        return self.folder / "artifacts" / "register" / "bundle"

    @property
    def subject_digest(self) -> str:
        return Bundle.open(self.bundle).manifest.subject_digest

    def processes(self) -> list[int]:
        """What runs in the project's folder."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.folder and (entry / "exe").readlink():
                    found.append(int(entry.name))
            except OSError:  # it has just ended, or is none of ours
                continue
        return found


@pytest.fixture(scope="session")
def new_project(rehearsed: Callable[[Path], Path], imported: Any) -> Callable[[Path], Project]:
    """Makes a project of the smoke scenario that has not run."""

    def make(folder: Path) -> Project:
        project = Project(rehearsed(folder), wiring(), imported)
        written = project.python("-m", "pipelines", "scenario", project.scenario)
        assert written.returncode == 0, written.stderr
        return project

    return make


@dataclass(frozen=True)
class Finished:
    """A project after an untouched run.

    Args:
        project: The project; whoever breaks it mends it.
        subject_digest: What the run answered.
        seconds: What it took.
        files: By step, what it left.
    """

    project: Project
    subject_digest: str
    seconds: float
    files: Mapping[str, Mapping[str, str]]

    def holds(self) -> None:
        """Asserts that the project answers as after an untouched run, in its bundle and in its registry."""
        project = self.project
        assert project.subject_digest == self.subject_digest
        verified = project.python("-m", "edgeloop", "lineage", "verify", "artifacts/register/bundle")
        assert verified.returncode == 0, verified.stderr
        assert self.versions() == {self.subject_digest: (["1"], ["champion-workstation"])}

    def is_tidy(self) -> None:
        """Asserts that nothing half-made lies about."""
        folder = self.project.folder
        assert not [path for path in folder.rglob(".*.partial*") if "venv" not in path.parts]
        assert not (folder / "artifacts" / ".run").exists()

    def versions(self) -> dict[str, tuple[list[str], list[str]]]:
        """By subject: its versions in the registry and their aliases, every one of which is fetched and verified."""
        listed = self.project.python("-c", VERSIONS, self.project.model)
        assert listed.returncode == 0, listed.stderr
        found: dict[str, tuple[list[str], list[str]]] = {}
        for version, subject, aliases in json.loads(listed.stdout):
            numbers, names = found.setdefault(subject, ([], []))
            numbers.append(version)
            names.extend(aliases)
        return found


VERSIONS = """
import json, sys, tempfile
from pathlib import Path
from edgeloop.registries.mlflow import plugin
found = plugin.versions(sys.argv[1])
for one in found:
    for ref in (one.version, *one.aliases):
        with tempfile.TemporaryDirectory() as folder:
            fetched = plugin.fetch(one.name, ref, Path(folder) / "bundle")
            assert fetched.manifest.subject_digest == one.subject_digest
print(json.dumps([(one.version, one.subject_digest, one.aliases) for one in found]))
"""


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, another_released: Callable[[Path], Any], imported: Any
) -> Finished:
    """A rehearsal in which kfp.local has run the smoke scenario once; params.yaml holds that scenario."""
    released = another_released(tmp_path_factory.mktemp("finished") / "project")
    project = Project(released.folder, wiring(), imported)
    written = project.python("-m", "pipelines", "scenario", project.scenario)
    assert written.returncode == 0, written.stderr
    steps = json.loads(released.output)["steps"]
    files = {step: project.files(step) for step in steps}
    return Finished(project, project.subject_digest, released.seconds, files)


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a run in a process group of its own; whatever is left of it goes with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(project: Project, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        with (project.folder / "killed.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=project.folder,
                env=project.environment(**variables),
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
