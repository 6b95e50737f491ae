"""The samples that an architecture was published for: planned where neither the command nor params.yaml says."""

USUAL_INPUTS: dict[str, tuple[int, ...]] = {
    "alexnet": (3, 224, 224),
    "autoencoder": (640,),
    "cnn_1d": (1, 2048),
    "ds_cnn": (1, 49, 10),
    "mlp": (1, 28, 28),
    "mobilenet_v2": (3, 224, 224),
    "mobilenet_v3_small": (3, 224, 224),
    "resnet": (3, 32, 32),
    "yolo_tiny": (3, 640, 640),
}
"""By plug-in; C, H, W or C, L or F. The sources stand in the modules of edgeloop.models; `autoencoder` is that of
MLPerf Tiny, and `resnet` has depth 8."""
