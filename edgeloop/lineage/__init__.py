"""Where a model comes from: the manifest, its parts and what is computed over it.

manifest.py     the manifest: subject, subject_digest, evidence, files
subject.py      what follows from code, parameters, seed and data
evidence.py     what a clock or a device decided
document.py     the manifest as YAML
code.py         the digest of the code
statements.py   evidence that is added after signing, each piece signed apart
verification.py who stands behind a bundle: files, signature, statements
exporting.py    manifests outside of bundles
comparison.py   what changed between two manifests
schema.py       manifests/lineage/schema.json
"""
