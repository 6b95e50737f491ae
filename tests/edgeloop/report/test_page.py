import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edgeloop.canonical import sha256_of_file
from edgeloop.errors import NotWritable
from edgeloop.report import ReportInputs, of_artifacts, render
from edgeloop.report.page import page
from edgeloop.report.state import STEPS

VOID = frozenset({"meta", "br", "wbr", "img", "link", "input", "hr"})
SCRIPT = "<script>alert(1)</script>"


class Outline(HTMLParser):
    """Elements, attributes and text of a page; an end tag without its start tag is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(root: Path, **given) -> str:
    return page(of_artifacts(root, title="digits", **given))


def section(text: str, anchor: str) -> str:
    return text.partition(f'<section id="{anchor}"')[2].partition("</section>")[0]


def test_every_element_is_closed(run):
    assert Outline(page_of(run.artifacts)).open == []


def test_ids_are_unique(run):
    ids = [attributes["id"] for _, attributes in Outline(page_of(run.artifacts)).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_link_leads_to_a_section(run):
    outline = Outline(page_of(run.artifacts))
    targets = {f"#{attributes['id']}" for attributes in outline.named("section")}
    assert {attributes["href"] for attributes in outline.named("a")} == targets


def test_nothing_is_loaded_from_anywhere(run):
    text = page_of(run.artifacts)
    outline = Outline(text)
    assert not re.search(r"https?://|@import|url\(", text)
    assert not {tag for tag, _ in outline.elements} & {"script", "link", "img", "iframe", "object", "embed", "base"}
    assert not [attributes for _, attributes in outline.elements if {"src", "srcset", "xlink:href"} & set(attributes)]


def test_the_page_forbids_scripts_to_the_browser(run):
    policies = [m["content"] for m in Outline(page_of(run.artifacts)).named("meta") if "http-equiv" in m]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_every_picture_says_in_words_what_it_shows(run):
    pictures = Outline(page_of(run.artifacts)).named("svg")
    assert len(pictures) >= 8
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 20 for picture in pictures)


def test_hostile_labels_names_and_reasons_are_text(write_run, make_spec):
    hostile = make_spec(f"{SCRIPT}-int8", "rt", None, None, "invalid", f"{SCRIPT} onclick=alert(1)")
    run = write_run(classes=[SCRIPT, "'\"><img src=x onerror=alert(1)>", "\u202eevil", "a"], more=[hostile])
    text = page(of_artifacts(run.artifacts, title=SCRIPT, failure=f"register: {SCRIPT}"))
    outline = Outline(text)
    assert not outline.named("script") and not outline.named("img")
    assert not [a for _, a in outline.elements if any(key.startswith("on") for key in a)]
    assert outline.text.count(SCRIPT) > 10
    assert "\u202e" not in text


def test_a_label_that_is_no_valid_text_does_not_stop_the_page(tmp_path, write_run):
    run = write_run(classes=["\x00\x1b[31m", "b"])
    path = run.folder("evaluate", "evaluation") / "evaluation.json"
    path.write_text(path.read_text().replace('"b"', '"\\ud800"'))
    written = render(of_artifacts(run.artifacts), tmp_path / "page.html").read_text(encoding="utf-8")
    assert "\x00" not in written and "\x1b" not in written


def test_with_no_artifact_every_step_is_not_run(tmp_path):
    text = page_of(tmp_path / "nowhere")
    assert Outline(text).open == []
    assert all(f"{step}: not run. " in text for step in STEPS)
    assert text.count("Not run.") == 7


def test_a_whole_run_is_complete(run):
    text = page_of(run.artifacts)
    assert "✓ complete" in text and "not run" not in Outline(text).text.lower()
    assert run.manifest.subject_digest in text


def test_corrupted_and_worst_samples_are_shown_with_what_they_rest_on(run):
    text = Outline(page_of(run.artifacts)).text
    assert "On 200 samples of test, the same for all. No limit and no choice hangs on this." in text
    assert "noise: deviation <0.1>" in text and "Not asked: torch-fp32: computes what onnx-fp32 computes." in text
    assert "Ordered by log-loss, the worst first." in text


def test_a_failure_shows_its_reason_and_where_it_stopped(run):
    shutil.rmtree(run.artifacts / "select")
    text = page_of(run.artifacts, failure="benchmark: no space left; free some")
    assert "✕ stopped at benchmark" in text and "benchmark: no space left; free some" in text
    assert "benchmark: stopped. " in text and "evaluate: not run. " in text
    assert "python -m pipelines run --from benchmark" in text


def test_what_lies_behind_the_step_that_stopped_is_of_an_earlier_run_and_not_shown(run):
    text = page_of(run.artifacts, failure="out of memory", stopped_at="train")
    assert "train: stopped. " in text and "convert: not run. " in text
    assert "onnx-int8" not in text and run.manifest.subject_digest not in text


def test_a_run_that_stopped_at_its_parameters_shows_no_step(run):
    text = page_of(run.artifacts, failure="select: limits.max_size_bytes is not a number", stopped_at="check_params")
    assert "✕ stopped at check_params" in text and text.count("Not run.") == 7


def test_a_test_of_another_winner_is_of_an_earlier_run_and_not_shown(run, write_run):
    other = write_run("other", limits={"max_accuracy_drop": 0.0})
    shutil.copy(other.folder("select", "selection"), run.folder("select", "selection"))
    text = page_of(run.artifacts)
    assert "of an earlier run, whose winner was onnx-int8@local-onnxruntime-1t" in section(text, "evaluation")
    assert "of an earlier run" in section(text, "lineage")
    assert "○ incomplete" in text


def test_a_failure_that_names_no_step_is_placed_at_the_first_that_left_nothing(run):
    shutil.rmtree(run.artifacts / "quantize")
    assert "✕ stopped at quantize" in page_of(run.artifacts, failure="killed")


def test_a_failure_that_names_no_step_is_placed_at_the_first_that_said_no(write_run):
    run = write_run(limits={"max_latency_ms": 1e-6})
    assert "✕ stopped at select" in page_of(run.artifacts, failure="no candidate is within the limits")


def test_every_candidate_and_every_reason_is_told(run):
    benchmark, selection = (section(page_of(run.artifacts), name) for name in ("benchmark", "selection"))
    for spec in run.specs:
        shown = spec.name.replace("@", '@</span><wbr><span class="piece">')
        assert shown in benchmark and shown in selection
        assert spec.reason in benchmark and spec.reason in selection
    assert "onnx-int2" in selection and "refused by quantize: accuracy_drop fail" in selection
    assert "max_accuracy_drop fail: 0.0839 is more than 0.01" in selection


def test_what_was_not_measured_is_said_to_be_so_with_the_reason(run):
    text = Outline(section(page_of(run.artifacts), "benchmark")).text
    assert "Not measured on any candidate:" in text and "energy (no sensor on this device)" in text
    assert "not measuredno outputs were taken" in text


def test_an_unreadable_file_costs_its_section_only(run):
    (run.folder("benchmark", "measurements") / "report.json").write_text("{broken")
    text = page_of(run.artifacts)
    assert "Cannot be shown:" in section(text, "benchmark") and "is not JSON" in section(text, "benchmark")
    assert "Confusion on test" in section(text, "evaluation")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[]", b"null", b"[" * 100_000])
def test_no_content_of_any_file_stops_the_page(run, content):
    for path in run.artifacts.rglob("*"):
        if path.is_file():
            path.write_bytes(content)
    assert Outline(page_of(run.artifacts)).open == []


def test_a_folder_where_a_file_is_expected_costs_its_section_only(run):
    path = run.folder("select", "selection")
    path.unlink()
    path.mkdir()
    assert "Cannot be shown:" in section(page_of(run.artifacts), "selection")


def test_metrics_of_another_task_are_shown_without_pictures(run):
    path = run.folder("evaluate", "evaluation") / "evaluation.json"
    text = re.sub(r'"per_class": .*?\n    \]', '"per_class": [{"map": 0.9}]', path.read_text(), flags=re.DOTALL)
    path.write_text(text)
    shown = section(page_of(run.artifacts), "evaluation")
    assert "macro_f1" in shown and "Confusion on test" not in shown


def test_a_thousand_classes_stay_readable(write_run):
    text = page_of(write_run(classes=[f"class {k:03d}" for k in range(300)]).artifacts)
    assert "300 classes: a matrix of more than 60 cannot be read" in text
    assert "The 60 of 300 classes with the lowest F1." in text
    assert len(text) < 600_000


def test_what_changed_since_the_version_before_is_shown(run, write_run):
    before = write_run("before", classes=["a", "b", "c"])
    inputs = of_artifacts(run.artifacts)
    previous = before.folder("register", "bundle") / "lineage.yaml"
    text = section(page(ReportInputs(**{**vars(inputs), "previous": previous})), "lineage")
    assert "What changed in the subject" in text and before.manifest.subject_digest in text


def test_equal_files_give_equal_bytes(run, tmp_path):
    inputs = of_artifacts(run.artifacts, title="digits")
    digests = {sha256_of_file(render(inputs, tmp_path / name)) for name in ("a.html", "b.html")}
    assert len(digests) == 1


def test_a_place_that_is_no_folder_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="file") as caught:
        render(of_artifacts(run.artifacts), tmp_path / "file" / "page.html")
    assert caught.type.__module__ == NotWritable.__module__


@pytest.mark.parametrize("value", ["0", "-1.0", "1e308", "5e-324"])
def test_times_that_cannot_be_are_told_and_not_drawn(run, value):
    path = run.folder("benchmark", "measurements") / "report.json"
    path.write_text(re.sub(r'("(?:value|upper|mean)_ms": )[\d.e-]+', rf"\g<1>{value}", path.read_text()))
    text = section(page_of(run.artifacts), "benchmark")
    assert "no possible time" in text or "no candidate has both" in text


@pytest.mark.slow
@pytest.mark.parametrize("width_px", [800, 1400])
def test_a_browser_draws_the_page(run, tmp_path, width_px):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed")
    target = render(of_artifacts(run.artifacts, title="digits"), tmp_path / "page.html")
    picture = tmp_path / "page.png"
    arguments = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width_px},3000", f"--screenshot={picture}", target.as_uri(),
    ]  # fmt: skip
    subprocess.run([browser, *arguments], check=True, capture_output=True, timeout=120)
    assert _colours(picture) > 50


def _colours(path: Path) -> int:
    """Different colours of the picture: an empty or broken page has a handful."""
    from PIL import Image

    with Image.open(path) as picture:
        return len(picture.convert("RGB").getcolors(maxcolors=1 << 24) or [])
