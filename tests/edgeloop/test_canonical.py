import pytest

from edgeloop import canonical


def test_key_order_and_spacing_do_not_count():
    assert canonical.canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'.encode()


def test_nan_has_no_digest():
    with pytest.raises(ValueError, match="Out of range"):
        canonical.digest_of({"a": float("nan")})


def test_a_digest_of_files_counts_names_and_bytes_but_not_the_place(tmp_path):
    digests = []
    for place, name, text in (("x", "a", "1"), ("y", "a", "1"), ("z", "b", "1"), ("w", "a", "2")):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_text(text)
        digests.append(canonical.digest_of_files(tmp_path / place, [tmp_path / place / name]))
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
