"""Usage telemetry of the libraries beneath is off, unless the user turned it on.

ONNX Runtime (1.29 and later, Linux too) reads its switch once, when it is imported; it would also compute, upload and
write files beside what is measured.
"""

import os

OPT_OUTS = {
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "true",
    "NNCF_CI": "1",  # it reports its use unless it believes to be tested
    "DO_NOT_TRACK": "1",
}
"""Variables of the environment; one that the user has set, to whatever, keeps its value."""


def opt_out() -> None:
    """Sets the switches for this process and those that it starts; call it before the import of such a library."""
    for name, value in OPT_OUTS.items():
        os.environ.setdefault(name, value)
