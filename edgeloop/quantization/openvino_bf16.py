"""bfloat16 for OpenVINO: weights stored as float16, computed in bfloat16 where the CPU can.

The file asks for it itself, see `edgeloop.openvino_files`; a CPU without bfloat16 computes it in float32.
"""

from edgeloop.optimization.halves import HalfScheme

plugin = HalfScheme(variant="openvino-bf16", precision="bf16", compute="bf16")
