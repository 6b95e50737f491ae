"""A small, whole bundle, made in milliseconds: for trying a registry, a signature or a tool without a training run.

Its models are files of the runtime `fake`, so what it answers means nothing; everything else is as in any bundle.
"""

import json
from pathlib import Path

from edgeloop import bundle
from edgeloop.bundle import Bundle
from edgeloop.canonical import digest_of, sha256_of_bytes
from edgeloop.data.dataset import SPLITS
from edgeloop.data.preprocessing import ImageInput, Preprocessing
from edgeloop.lineage.code import code_digest
from edgeloop.lineage.evidence import SelectionBody, SelectionEvidence, Winner
from edgeloop.lineage.manifest import Manifest
from edgeloop.lineage.subject import DataRecord, Subject, SuiteRecord, TrainingRecord, record_of
from edgeloop.models import ModelCard
from edgeloop.variants import Precision, Tool, Variant, VariantSet

TOOL = Tool(name="example", version="1")
CARD = ModelCard(
    task="classification",
    architecture="none",
    classes=tuple("0123456789"),
    preprocessing=Preprocessing(image=ImageInput(height=8, width=8, mode="L"), mean=(0.5,), std=(0.25,)),
    parameters=640,
)
CARD_TEXT = json.dumps(CARD.values(), indent=2)


def example_bundle(folder: Path, *, name: str = "example", seed: int = 0) -> Bundle:
    """Writes an example bundle; another seed is another model.

    Args:
        folder: Where; replaced if it exists.
        name: Of the model.
        seed: Of the weights and of everything that is said of them.
    """
    files = {
        "fake-fp32": json.dumps({"format": 1, "seed": seed}),
        "fake-int8": json.dumps({"format": 1, "seed": seed, "noise": 0.01}),
    }
    variants = tuple(_variant(variant, text) for variant, text in files.items())
    contents: dict[str, bundle.Content] = {
        "model_card.md": f"# {name}\n\nAn example that answers at random.\n",
        "models/model.json": CARD_TEXT,
        "models/variants.json": VariantSet(variants=variants),
        **{f"models/{variant.file}": files[variant.name] for variant in variants},
    }
    subject = _subject(variants, seed=seed)
    evidence = SelectionEvidence(subject_digest=digest_of(subject.values()), body=_selection())
    return bundle.write(folder, Manifest.of(name, subject=subject, evidence=[evidence]), contents)


def _variant(name: str, text: str) -> Variant:
    precision: Precision = "int8" if name.endswith("int8") else "fp32"
    return Variant(
        name=name,
        format="fake",
        precision=precision,
        file=f"{name}.json",
        sha256=sha256_of_bytes(text.encode()),
        size_bytes=len(text),
        made_by=TOOL,
        made_from="fake-fp32" if precision == "int8" else None,
    )


def _subject(variants: tuple[Variant, ...], *, seed: int) -> Subject:
    splits = {split: digest_of([split, seed]) for split in SPLITS}
    return Subject(
        code=code_digest(),
        params={"train": {"seed": seed}},
        seeds={"train": seed},
        data=DataRecord(source="example", classes=CARD.classes, prepared=splits, accepted=splits, calibration=None),
        validation=SuiteRecord(name="example", sha256=sha256_of_bytes(b"")),
        training=TrainingRecord(threads=1, cpu_features={}, metrics={"accuracy": 0.1}),
        card_sha256=sha256_of_bytes(CARD_TEXT.encode()),
        variants={variant.name: record_of(variant) for variant in variants},
    )


def _selection() -> SelectionBody:
    winner = Winner(
        candidate="fake-int8@local-fake-1t",
        variant="fake-int8",
        device="local",
        runtime="fake",
        threads=1,
        runtime_version=None,
        runtime_sha256=None,
    )
    return SelectionBody(winner=winner, prefer="size", limits={}, reason="it is the smallest", others={})
