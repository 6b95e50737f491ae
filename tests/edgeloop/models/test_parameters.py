"""The numbers of parameters that papers and their authors' code state; sources in each architecture's module."""

import pytest
import torch

from edgeloop import plugins


def network(name: str, shape: tuple[int, ...], outputs: int, **options: object) -> torch.nn.Module:
    """On the meta device: nothing is allocated."""
    with torch.device("meta"):
        return plugins.load("models", name).build(shape, outputs, options)


def trained(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def with_statistics(module: torch.nn.Module) -> int:
    """As Keras counts: with the means and variances that batch norm keeps."""
    return trained(module) + sum(b.numel() for n, b in module.named_buffers() if n.endswith(("_mean", "_var")))


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "options", "count"),
    [
        ("mlp", (1, 28, 28), 10, {}, 266_610),
        ("autoencoder", (640,), 0, {}, 267_928),
        ("resnet", (3, 32, 32), 10, {"depth": 8}, 78_186),
        ("resnet", (3, 224, 224), 1000, {"depth": 18}, 11_689_512),
        ("ds_cnn", (1, 49, 10), 12, {}, 23_756),
        ("mobilenet_v2", (3, 224, 224), 1000, {"width": 1.0}, 3_504_872),
        ("mobilenet_v2", (3, 224, 224), 1000, {"width": 0.35}, 1_677_128),
        ("mobilenet_v3_small", (3, 224, 224), 1000, {"width": 1.0}, 2_542_856),
        ("mobilenet_v3_small", (3, 224, 224), 1000, {"width": 0.75}, 2_020_768),
        ("alexnet", (3, 224, 224), 1000, {}, 61_100_840),
        ("cnn_1d", (1, 2048), 10, {}, 34_410),
        ("yolo_tiny", (3, 640, 640), 80, {}, 6_073_372),
    ],
)
def test_the_trained_parameters_are_those_of_the_literature(name, shape, outputs, options, count):
    assert trained(network(name, shape, outputs, **options)) == count


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "count"),
    [
        ("resnet", (3, 32, 32), 10, 78_666),
        ("ds_cnn", (1, 49, 10), 12, 24_908),
        ("autoencoder", (640,), 0, 269_992),
    ],
)
def test_with_the_statistics_of_batch_norm_mlperf_tiny_is_met(name, shape, outputs, count):
    assert with_statistics(network(name, shape, outputs)) == count


def test_ds_cnn_without_batch_norm_is_what_a_device_stores():
    layers = network("ds_cnn", (1, 49, 10), 12).modules()
    assert sum(trained(layer) for layer in layers if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)) == 22_604


def test_cnn_1d_has_the_convolutions_of_wdcnn():
    layers = network("cnn_1d", (1, 2048), 10).modules()
    assert sum(layer.weight.numel() for layer in layers if isinstance(layer, torch.nn.Conv1d)) == 33_280


@pytest.mark.parametrize(("classes", "count"), [(4, 6_022_129), (80, 6_227_101)])
def test_with_anchors_in_its_heads_yolo_tiny_would_be_yolov7_tiny(classes, count):
    detector = network("yolo_tiny", (3, 640, 640), classes)
    anchored = sum((head.in_channels + 1) * 3 * (5 + classes) for head in detector.heads)
    assert trained(detector) - trained(detector.heads) + anchored == count


def test_the_size_of_a_picture_decides_no_weight_of_a_mobilenet():
    assert trained(network("mobilenet_v2", (3, 96, 96), 10)) == trained(network("mobilenet_v2", (3, 224, 224), 10))
