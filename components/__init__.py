"""The steps as functions that every engine runs: kfp.local, Kubeflow Pipelines, DVC and the shell.

One module a step. A body parses its section of the parameters, makes one call of the library and records metadata; it
imports inside, because KFP carries the source of the function alone. `STEPS` names the module of every step, in the
order of the loop.
"""

STEPS = {
    "check_params": "components.checking",
    "prepare_data": "components.preparation",
    "validate_data": "components.validation",
    "train": "components.training",
    "convert": "components.conversion",
    "quantize": "components.quantization",
    "benchmark": "components.benchmarking",
    "select": "components.selection",
    "evaluate": "components.evaluation",
    "register": "components.registration",
}
MONITOR_STEPS = {
    "detect_drift": "components.drift_detection",
    "describe_trigger": "components.trigger",
}
"""Steps of the monitor pipeline, as `STEPS`."""
