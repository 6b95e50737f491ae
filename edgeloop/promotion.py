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
from edgeloop.lineage.manifest import Manifest
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


@dataclass(frozen=True)
class Decision:
    """What was decided, and the champion that the challenger was compared with.

    Args:
        promotion: For the lineage.
        predecessor: Manifest of the champion; None where there is none, or where it is the challenger itself.
    """

    promotion: Promotion
    predecessor: Manifest | None = None


def decided(challenge: Challenge, registry: Registry) -> Decision:
    """Whether the challenger takes the alias, and from which version.

    Raises:
        ServerFault: The registry does not answer.
        ModelFault: The champion is not whole.
    """
    champion = _champion(challenge, registry)
    if champion is None:
        return Decision(_promotion(challenge, "", True, "the first of its device class"))
    held = champion.version
    if champion.subject_digest == challenge.subject_digest:
        return Decision(_promotion(challenge, held, True, f"is version {held} already"))
    with tempfile.TemporaryDirectory(prefix="edgeloop-") as scratch:
        fetched = registry.fetch(challenge.name, challenge.alias, Path(scratch) / "champion")
        theirs = _metric_of(fetched, challenge)
    metric = challenge.evaluation.metric
    ours = float(challenge.evaluation.metrics[metric])
    compared = f"{metric} on test {ours:.4f}, that of version {held} {theirs:.4f}"
    promotion = _promotion(challenge, held, ours >= theirs - challenge.tolerance, compared)
    return Decision(promotion, fetched.manifest)


def _promotion(challenge: Challenge, champion: str, promoted: bool, reason: str) -> Promotion:
    if experiment := os.environ.get(EXPERIMENT_VARIABLE):
        promoted, reason = False, f"DVC experiment {experiment} moves no alias"
    return Promotion(alias=challenge.alias, promoted=promoted, reason=reason, champion=champion)


def _champion(challenge: Challenge, registry: Registry) -> RegisteredVersion | None:
    versions = registry.versions(challenge.name)
    return next((version for version in versions if challenge.alias in version.aliases), None)


def _metric_of(champion: Bundle, challenge: Challenge) -> float:
    """The champion's metric on the challenger's test split: as recorded, or tested anew where the samples differ."""
    recorded = champion.manifest.pieces(EvaluationEvidence)
    same_samples = champion.manifest.subject.data.accepted.get("test") == challenge.test_digest
    if recorded and same_samples and recorded[0].body.metric == challenge.evaluation.metric:
        return recorded[0].body.metrics[challenge.evaluation.metric]
    winner = champion.manifest.winner
    return metric_of(
        champion.variant(winner.variant),
        card=champion.card,
        runtime=winner.runtime,
        threads=winner.threads,
        dataset=challenge.dataset,
        validation=challenge.validation,
    )
