"""quantize: smaller variants, judged against the float file that they come from."""

from typing import Any

from kfp.dsl import Artifact, Dataset, Input, Output


def quantize(
    params: dict[str, Any],
    converted: Input[Artifact],
    dataset: Input[Dataset],
    validation: Input[Artifact],
    quantized: Output[Artifact],
):
    """Quantizes and judges; a variant that fails stays in the set with its reasons and is not measured.

    Args:
        params: Section `quantize`.
        converted: Of convert.
        dataset: Of prepare_data.
        validation: Of validate_data.
        quantized: Folder of the variant set.
    """
    from pathlib import Path

    from edgeloop.errors import reported
    from edgeloop.optimization.variants import quantize as quantize_variants
    from edgeloop.params import section

    with reported("quantize"):
        made = quantize_variants(
            section("quantize", params),
            converted=Path(converted.path),
            dataset=Path(dataset.path),
            validation=Path(validation.path),
            quantized=Path(quantized.path),
        )
        quantized.metadata["accepted"] = {variant.name: variant.accepted for variant in made.variants}
        quantized.metadata["unmade"] = {variant.name: variant.reason for variant in made.unmade}
        details = {variant.name: variant.details for variant in made.variants}
        quantized.metadata["trials"] = {name: len(found.get("trials", [0])) for name, found in details.items()}
        quantized.metadata["fallback"] = {
            name: found["fallback"] for name, found in details.items() if "fallback" in found
        }
