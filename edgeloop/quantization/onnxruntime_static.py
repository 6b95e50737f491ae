"""ONNX Runtime's static int8 for x86: uint8 activations, int8 weights per channel.

uint8 x int8 is what the CPU's dot-product instructions take (VNNI); int8 activations are several times slower there.
"""

from edgeloop.optimization.qdq import QdqScheme

plugin = QdqScheme(extra="onnxruntime_static", variant="onnx-int8", activations="uint8", symmetric=False)
