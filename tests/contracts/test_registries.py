from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeloop import plugins
from edgeloop.bundle import Bundle
from edgeloop.errors import GateRefused, InputFault, ModelFault
from edgeloop.lineage.example import example_bundle
from edgeloop.registries import RegisteredVersion, Registry

SLOW = {"mlflow"}
NAMES = [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in plugins.names("registries")]


@pytest.fixture(scope="module", params=NAMES)
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One registry for all tests, because a new database takes seconds; each test has models of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp(request.param))
        for variable in ("EDGELOOP_REGISTRY_FOLDER", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID"):
            patch.delenv(variable, raising=False)
        yield plugins.load("registries", request.param)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return request.node.originalname.replace("_", "-")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return example_bundle(tmp_path / "bundle")


def other(tmp_path: Path, seed: int) -> Bundle:
    return example_bundle(tmp_path / f"bundle-{seed}", seed=seed)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_what_is_fetched_is_what_was_pushed_byte_for_byte(
    registry: Registry, name: str, bundle: Bundle, tmp_path: Path
) -> None:
    version = registry.push(bundle, name, tags={})
    fetched = registry.fetch(name, version.version, tmp_path / "fetched")
    assert fetched.folder == tmp_path / "fetched" and contents(fetched.folder) == contents(bundle.folder)


def test_versions_are_counted_from_one_and_come_oldest_first(registry: Registry, name: str, tmp_path: Path) -> None:
    pushed = [registry.push(other(tmp_path, seed), name, tags={}).version for seed in range(3)]
    assert pushed == ["1", "2", "3"] == [version.version for version in registry.versions(name)]


def test_a_version_names_its_subject_and_its_tags(registry: Registry, name: str, bundle: Bundle) -> None:
    pushed = registry.push(bundle, name, tags={"variant": "fake-int8"})
    assert pushed.subject_digest == bundle.manifest.subject_digest
    assert pushed.tags["variant"] == "fake-int8"
    assert registry.versions(name) == (pushed,)


def test_the_same_subject_gets_no_second_version(registry: Registry, name: str, bundle: Bundle, tmp_path: Path) -> None:
    first = registry.push(bundle, name, tags={})
    registry.push(other(tmp_path, 1), name, tags={})
    assert registry.push(bundle, name, tags={"another": "tag"}) == first
    assert len(registry.versions(name)) == 2


def test_two_models_may_have_the_same_subject(registry: Registry, name: str, bundle: Bundle) -> None:
    assert registry.push(bundle, f"{name}-a", tags={}).version == "1"
    assert registry.push(bundle, f"{name}-b", tags={}).version == "1"


def test_pushes_of_one_subject_at_the_same_time_make_one_version(registry: Registry, name: str, bundle: Bundle) -> None:
    with ThreadPoolExecutor(4) as pool:
        pushed = list(pool.map(lambda _: registry.push(bundle, name, tags={}), range(4)))
    assert {version.version for version in pushed} == {version.version for version in registry.versions(name)}
    assert len(registry.versions(name)) == 1


def test_a_version_is_found_by_its_subject(registry: Registry, name: str, bundle: Bundle, tmp_path: Path) -> None:
    registry.push(other(tmp_path, 1), name, tags={})
    pushed = registry.push(bundle, name, tags={})
    assert registry.find(name, bundle.manifest.subject_digest) == pushed


def test_an_unknown_model_has_no_versions(registry: Registry, name: str) -> None:
    assert registry.versions(name) == ()
    assert registry.find(name, "sha256:" + "0" * 64) is None


def test_a_pushed_version_has_no_alias(registry: Registry, name: str, bundle: Bundle) -> None:
    assert registry.push(bundle, name, tags={}).aliases == ()


def test_an_alias_points_to_the_version_that_was_promoted_last(
    registry: Registry, name: str, bundle: Bundle, tmp_path: Path
) -> None:
    registry.push(bundle, name, tags={})
    registry.push(other(tmp_path, 1), name, tags={})
    registry.promote(name, "champion", "1")
    registry.promote(name, "champion", "2")
    registry.promote(name, "champion", "2")
    assert [version.aliases for version in registry.versions(name)] == [(), ("champion",)]


def test_aliases_do_not_disturb_each_other(registry: Registry, name: str, bundle: Bundle, tmp_path: Path) -> None:
    registry.push(bundle, name, tags={})
    registry.push(other(tmp_path, 1), name, tags={})
    registry.promote(name, "champion-board", "1")
    registry.promote(name, "champion-car", "2")
    registry.promote(name, "champion-desk", "1")
    assert [v.aliases for v in registry.versions(name)] == [("champion-board", "champion-desk"), ("champion-car",)]


def test_an_alias_is_fetched_as_the_version_that_it_points_to(
    registry: Registry, name: str, bundle: Bundle, tmp_path: Path
) -> None:
    registry.push(bundle, name, tags={})
    newer = other(tmp_path, 1)
    registry.push(newer, name, tags={})
    registry.promote(name, "champion", "2")
    fetched = registry.fetch(name, "champion", tmp_path / "fetched")
    assert fetched.manifest.subject_digest == newer.manifest.subject_digest


def test_an_alias_that_somebody_else_has_moved_stays(
    registry: Registry, name: str, bundle: Bundle, tmp_path: Path
) -> None:
    registry.push(bundle, name, tags={})
    registry.push(other(tmp_path, 1), name, tags={})
    registry.promote(name, "champion", "1", expected="")
    with pytest.raises(GateRefused, match=r"points to version 1, not to 2"):
        registry.promote(name, "champion", "2", expected="2")
    with pytest.raises(GateRefused, match=r"points to version 1, not to nothing"):
        registry.promote(name, "champion", "2", expected="")
    registry.promote(name, "champion", "2", expected="1")
    assert registry.versions(name)[1].aliases == ("champion",)


def test_an_alias_that_somebody_else_has_moved_to_the_very_version_is_where_it_should_be(
    registry: Registry, name: str, bundle: Bundle
) -> None:
    registry.push(bundle, name, tags={})
    for _ in range(2):
        registry.promote(name, "champion", "1", expected="")
    assert registry.versions(name)[0].aliases == ("champion",)


def test_an_alias_never_points_to_a_version_that_is_not_there(registry: Registry, name: str, bundle: Bundle) -> None:
    registry.push(bundle, name, tags={})
    for version in ("2", "0", "champion", ""):
        with pytest.raises(InputFault, match="no such version"):
            registry.promote(name, "champion", version)
    assert registry.versions(name)[0].aliases == ()


@pytest.mark.parametrize("alias", ["", "1", "latest", "v1", "a b", "champion-board.2", "a/b"])
def test_an_alias_that_not_every_registry_takes_is_refused_as_the_users_input(
    registry: Registry, name: str, bundle: Bundle, alias: str
) -> None:
    registry.push(bundle, name, tags={})
    with pytest.raises(InputFault, match="is no name for an alias"):
        registry.promote(name, alias, "1")


@pytest.mark.parametrize("ref", ["2", "champion", "", "../1"])
def test_fetching_what_is_not_there_is_refused_and_writes_nothing(
    registry: Registry, name: str, bundle: Bundle, tmp_path: Path, ref: str
) -> None:
    registry.push(bundle, name, tags={})
    with pytest.raises(InputFault, match="no such version or alias"):
        registry.fetch(name, ref, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def stored_file(registry: Registry, version: RegisteredVersion, file: str) -> Path:
    """Where the registry under test keeps a file of a version: both keep plain files below the current folder."""
    (found,) = [
        path
        for path in Path.cwd().rglob(file)
        if version.lineage_sha256 == sha256(path.parents[len(Path(file).parts) - 1] / "lineage.yaml")
    ]
    return found


def sha256(path: Path) -> str:
    from edgeloop.canonical import sha256_of_file

    return sha256_of_file(path) if path.is_file() else ""


def test_a_version_that_was_damaged_in_the_registry_is_not_handed_out(
    registry: Registry, name: str, tmp_path: Path
) -> None:
    version = registry.push(other(tmp_path, 77), name, tags={})
    stored_file(registry, version, "models/fake-int8.json").write_text("{}")
    with pytest.raises(ModelFault, match=r"fake-int8\.json"):
        registry.fetch(name, version.version, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_a_version_that_was_damaged_in_the_registry_is_not_taken_for_registered(
    registry: Registry, name: str, tmp_path: Path
) -> None:
    bundle = other(tmp_path, 78)
    version = registry.push(bundle, name, tags={})
    stored_file(registry, version, "models/fake-int8.json").unlink()
    with pytest.raises(ModelFault, match=r"fake-int8\.json"):
        registry.push(bundle, name, tags={})
