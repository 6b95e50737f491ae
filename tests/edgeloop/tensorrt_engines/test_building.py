"""Against the played TensorRT of both branches: no engine was ever built here by the real one."""

from pathlib import Path

import pytest

from edgeloop.errors import InputFault, ModelFault
from edgeloop.tensorrt_engines.building import built, deserialized, timing_cache
from edgeloop.tensorrt_engines.installation import installed
from edgeloop.tensorrt_engines.options import EngineOptions

MIB = 1 << 20


@pytest.fixture(params=[10, 11])
def script(request, tensorrt_played):
    return tensorrt_played(request.param)


def build(model, source: Path, cache: Path | None = None, **options) -> bytes:
    return built(model.SerializeToString(), EngineOptions(**options), where=source, here=installed(), cache=cache)


def flags(script) -> set[str]:
    ((found,),) = script.called("build_serialized_network")
    return found


def test_the_engine_is_one_that_the_same_installation_loads(script, floats, source) -> None:
    engine = deserialized(build(floats, source), where=source, here=installed())
    assert engine.num_io_tensors == 2


def test_tensorrt_10_is_told_to_type_strongly_and_11_needs_no_telling(script, floats, source) -> None:
    build(floats, source)
    strongly = 1 << int(script.module.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    assert script.called("create_network") == [(strongly if installed().branch == 10 else 0,)]


def test_the_batches_are_those_of_the_options(script, floats, source) -> None:
    build(floats, source, least_batch=2, usual_batch=4, largest_batch=8)
    assert script.called("set_shape") == [("input", (2, 4), (4, 4), (8, 4))]


def test_a_file_of_one_batch_size_has_no_profile(script, model_of, source) -> None:
    build(model_of((1, 4)), source)
    assert script.called("set_shape") == []


def test_a_file_that_leaves_more_open_is_refused(script, model_of, source) -> None:
    with pytest.raises(ModelFault, match="leaves more than the batch of 'input' open"):
        build(model_of(("N", "K")), source)


def test_scratch_memory_is_bounded(script, floats, source) -> None:
    build(floats, source, workspace_mib=64)
    assert script.called("set_memory_pool_limit") == [("WORKSPACE", 64 * MIB)]


def test_float32_is_float32_unless_tf32_is_asked_for(script, floats, source) -> None:
    build(floats, source)
    assert flags(script) == set()
    script.calls.clear()
    build(floats, source, tf32=True)
    assert flags(script) == {"TF32"}


def test_a_version_compatible_engine_carries_no_code_of_the_host(script, floats, source) -> None:
    build(floats, source, version_compatible=True)
    assert flags(script) == {"VERSION_COMPATIBLE", "EXCLUDE_LEAN_RUNTIME"}


def test_host_code_in_an_engine_is_never_allowed(script, floats, source) -> None:
    deserialized(build(floats, source), where=source, here=installed())
    assert script.called("Runtime.engine_host_code_allowed") == [(False,)]


@pytest.mark.parametrize("level", ["ampere_plus", "same_compute_capability"])
def test_other_gpus_are_allowed_by_name(script, floats, source, level: str) -> None:
    build(floats, source, hardware_compatibility=level)
    ((found,),) = script.called("IBuilderConfig.hardware_compatibility_level")
    assert found.name == level.upper()


def test_the_engine_keeps_what_the_inspector_tells(script, floats, source) -> None:
    build(floats, source)
    ((found,),) = script.called("IBuilderConfig.profiling_verbosity")
    assert found.name == "DETAILED"


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_weak_typing_sets_the_flag_of_tensorrt_10(tensorrt_played, floats, source, precision: str) -> None:
    script = tensorrt_played(10)
    build(floats, source, weak_precision=precision)
    assert script.called("create_network") == [(0,)]
    assert flags(script) == {precision.upper()}


def test_weak_typing_of_a_quantized_file_allows_int8_too(tensorrt_played, quantized, source) -> None:
    script = tensorrt_played(10)
    build(quantized(), source, weak_precision="fp16")
    assert flags(script) == {"FP16", "INT8"}


def test_tensorrt_11_has_no_weak_typing_and_says_what_decides(tensorrt_played, floats, source) -> None:
    tensorrt_played(11)
    with pytest.raises(InputFault, match="has no flag for fp16: the types in the file decide"):
        build(floats, source, weak_precision="fp16")


def test_the_played_branch_11_has_no_flags_of_precision(tensorrt_played) -> None:
    module = tensorrt_played(11).module
    with pytest.raises(AttributeError):
        _ = module.BuilderFlag.FP16
    with pytest.raises(AttributeError):
        _ = module.IInt8MinMaxCalibrator
    config = module.IBuilderConfig()
    with pytest.raises(AttributeError):
        config.int8_calibrator = None


def test_a_quantized_file_needs_no_flag_where_the_file_decides(script, quantized, source) -> None:
    build(quantized(), source)
    assert flags(script) == set()


def test_what_the_parser_says_is_told_with_the_node(script, floats, source) -> None:
    script.parser_errors = [{"operator": "Det", "name": "d1", "desc": "no importer"}, {"desc": "invalid model"}]
    with pytest.raises(ModelFault, match=r"mine\.onnx: the parser of .* \(Det d1: no importer \| invalid model\)"):
        build(floats, source)


def test_what_the_builder_says_is_told(script, floats, source) -> None:
    script.build_error = "Could not find any implementation for node conv"
    with pytest.raises(ModelFault, match=r"the builder of .*Could not find any implementation for node conv"):
        build(floats, source)


def test_times_of_kernels_are_kept_for_the_next_build(script, floats, source, tmp_path) -> None:
    cache = tmp_path / "folder" / "times"
    build(floats, source, cache)
    assert cache.read_bytes() == b"timed;"
    build(floats, source, cache)
    assert script.called("create_timing_cache") == [(b"",), (b"timed;",)]
    assert cache.read_bytes() == b"timed;timed;"
    assert [path.name for path in cache.parent.iterdir()] == ["times"]


def test_times_of_another_gpu_are_not_used(script, floats, source, tmp_path) -> None:
    cache = tmp_path / "times"
    cache.write_bytes(b"of another")
    script.cache_fits = False
    build(floats, source, cache)
    assert cache.read_bytes() == b"timed;"


def test_a_refused_build_leaves_the_kept_times(script, floats, source, tmp_path) -> None:
    cache = tmp_path / "times"
    cache.write_bytes(b"kept")
    script.build_error = "no"
    with pytest.raises(ModelFault):
        build(floats, source, cache)
    assert cache.read_bytes() == b"kept"


def test_times_that_cannot_be_kept_stop_nothing(script, floats, source, tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert build(floats, source, tmp_path / "file" / "times")


def test_times_are_kept_apart_by_version_and_gpu(script, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("EDGELOOP_CACHE", str(tmp_path))
    here = installed()
    assert timing_cache(here) == tmp_path / "tensorrt" / f"{here.version}-orin-8-7.timings"


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_what_is_no_engine_is_refused_with_what_tensorrt_says(script, source, content: bytes) -> None:
    with pytest.raises(ModelFault, match=r"is no engine that TensorRT .* loads on Orin \(.*magic tag"):
        deserialized(content, where=source, here=installed())


def test_an_engine_of_the_other_branch_is_refused(tensorrt_played, floats, source) -> None:
    tensorrt_played(10)
    engine = build(floats, source)
    tensorrt_played(11)
    with pytest.raises(ModelFault, match="build it on this device"):
        deserialized(engine, where=source, here=installed())
