"""Promotion: a version takes the alias unless the champion answers the same test split better.

The alias is `<register.alias>-<device class>`, such as `champion-workstation`: every device class has a champion of its
own. Inside a DVC experiment (`DVC_EXP_NAME`) no alias moves.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgeloop.bundle import Bundle
from edgeloop.evaluation import Evaluation, metric_of
from edgeloop.lineage.evidence import EvaluationEvidence, Promotion
from edgeloop.registries import RegisteredVersion, Registry

EXPERIMENT_VARIABLE = "DVC_EXP_NAME"


@dataclass(frozen=True)
class Challenge:
    """A model that wants the alias.

    Args:
        name: In the registry.
        alias: With the device class.
        subject_digest: Of the challenger.
        evaluation: Of the challenger, on test.
        test_digest: Digest of the samples that it was tested on.
        dataset: Those samples' dataset, to test the champion on them.
        validation: What validate_data wrote.
        tolerance: How much worse the challenger may be, in the task's metric.
    """

    name: str
    alias: str
    subject_digest: str
    evaluation: Evaluation
    test_digest: str
    dataset: Path
    validation: Path
    tolerance: float


def decided(challenge: Challenge, registry: Registry) -> Promotion:
    """Whether the challenger takes the alias, and the version that it takes it from.

    Raises:
        ServerFault: The registry does not answer.
        ModelFault: The champion is not whole.
    """
    champion = _champion(challenge, registry)
    held = champion.version if champion is not None else ""

    def promotion(promoted: bool, reason: str) -> Promotion:
        return Promotion(alias=challenge.alias, promoted=promoted, reason=reason, champion=held)

    if experiment := os.environ.get(EXPERIMENT_VARIABLE):
        return promotion(False, f"DVC experiment {experiment} moves no alias")
    if champion is None:
        return promotion(True, "the first of its device class")
    if champion.subject_digest == challenge.subject_digest:
        return promotion(True, f"is version {held} already")
    metric = challenge.evaluation.metric
    ours, theirs = float(challenge.evaluation.metrics[metric]), _champions_metric(challenge, registry)
    compared = f"{metric} on test {ours:.4f}, that of version {held} {theirs:.4f}"
    return promotion(ours >= theirs - challenge.tolerance, compared)


def _champion(challenge: Challenge, registry: Registry) -> RegisteredVersion | None:
    versions = registry.versions(challenge.name)
    return next((version for version in versions if challenge.alias in version.aliases), None)


def _champions_metric(challenge: Challenge, registry: Registry) -> float:
    """The champion's metric on the challenger's test split: as recorded, or tested anew where the samples differ."""
    with tempfile.TemporaryDirectory(prefix="edgeloop-") as scratch:
        champion = registry.fetch(challenge.name, challenge.alias, Path(scratch) / "champion")
        recorded = champion.manifest.pieces(EvaluationEvidence)
        same_samples = champion.manifest.subject.data.accepted.get("test") == challenge.test_digest
        if recorded and same_samples and recorded[0].body.metric == challenge.evaluation.metric:
            return recorded[0].body.metrics[challenge.evaluation.metric]
        return _tested(champion, challenge)


def _tested(champion: Bundle, challenge: Challenge) -> float:
    winner = champion.manifest.winner
    return metric_of(
        champion.variant(winner.variant),
        card=champion.card,
        runtime=winner.runtime,
        threads=winner.threads,
        dataset=challenge.dataset,
        validation=challenge.validation,
    )
