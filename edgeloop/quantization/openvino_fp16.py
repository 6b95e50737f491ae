"""Weights as float16 for OpenVINO, computed in float32: half the file, the speed of fp32."""

from edgeloop.optimization.halves import HalfScheme

plugin = HalfScheme(variant="openvino-fp16", precision="fp16", compute="f32")
