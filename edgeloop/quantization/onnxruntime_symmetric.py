"""ONNX Runtime's static int8 for TensorRT and microcontrollers: int8 activations and weights whose zero points are 0.

Judged by ONNX Runtime, where it is slower than `onnxruntime_static`: it is made for engines that take nothing else.
"""

from edgeloop.optimization.qdq import QdqScheme

plugin = QdqScheme(extra="onnxruntime_static", variant="onnx-int8-symmetric", activations="int8", symmetric=True)
