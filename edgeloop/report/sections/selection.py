"""The choice: the limits, and for every candidate why, or why not."""

from edgeloop.report.blocks import (
    GLYPHS,
    Block,
    Cell,
    Column,
    Fact,
    Facts,
    Notice,
    Row,
    Section,
    Table,
    absent,
    check_number,
)
from edgeloop.report.numerals import SPACE, significant, size
from edgeloop.report.reading import Absent, Contents
from edgeloop.selection import Judged, Selection
from edgeloop.variants import Check

_TITLE = "Selection"


def selection(contents: Contents) -> Section:
    """The section."""
    choice = contents.selection
    if isinstance(choice, Absent):
        return absent("selection", _TITLE, choice.reason)
    blocks: list[Block] = [
        Notice(choice.reason, mark="pass" if choice.winner else "fail"),
        _limits(choice),
        _candidates(choice),
    ]
    return Section("selection", _TITLE, tuple(blocks))


def _limits(choice: Selection) -> Facts:
    limits = choice.limits
    drop, latency, ratio = limits.max_accuracy_drop, limits.max_latency_ms, limits.max_latency_ratio
    written = (
        ("accuracy drop on val", None if drop is None else f"{100 * drop:g}{SPACE}pp"),
        (f"{limits.latency_quantile} bound", None if latency is None else f"{significant(latency)}{SPACE}ms"),
        ("p50 ratio to fp32", None if ratio is None else f"{significant(ratio)}{SPACE}×"),
        ("size", None if limits.max_size_bytes is None else size(limits.max_size_bytes)),
        ("peak memory", None if limits.max_memory_bytes is None else size(limits.max_memory_bytes)),
    )  # fmt: skip
    facts = [Fact(name, "no limit" if limit is None else f"≤{SPACE}{limit}") for name, limit in written]
    facts.append(Fact("preference on the front", choice.prefer))
    return Facts(tuple(facts), title="Limits")


def _candidates(choice: Selection) -> Table:
    """One row a candidate and one column a check, so that a column shows at once whom a limit stops."""
    measured = [judged for judged in choice.candidates if judged.candidate != judged.variant]
    names = list(
        dict.fromkeys(check.name for judged in measured for check in judged.checks if check.name != "measured")
    )
    heads = ["candidate", "outcome", "why", "front", *names]
    columns = tuple(Column(head, numeric=head in names) for head in heads)
    ordered = sorted(choice.candidates, key=lambda j: (j.candidate != choice.winner, j.rejected, not j.on_front))
    rows = tuple(_row(judged, names, choice) for judged in ordered)
    note = (
        "Limits come first: who breaks one, or cannot be judged by one, is out. Then the Pareto front over accuracy,"
        " latency bound, peak memory and size; then the preference picks one of the front."
    )
    return Table("Why, and why not", columns, rows, note)


def _row(judged: Judged, names: list[str], choice: Selection) -> Row:
    wins = judged.candidate == choice.winner
    checks = {check.name: check for check in judged.checks}
    cells = (
        Cell(f"★{SPACE}{judged.candidate}" if wins else judged.candidate, mark="name"),
        _outcome(judged, wins),
        Cell("; ".join(judged.reasons) or ("the choice, see above" if wins else "–"), mark="reason"),
        Cell("on the front" if judged.on_front else "–", mark="short"),
        *(_checked(checks.get(name)) for name in names),
    )
    return Row(cells, mark="winner" if wins else "attention" if judged.rejected else "")


def _outcome(judged: Judged, wins: bool) -> Cell:
    if wins:
        return Cell(f"★{SPACE}chosen", mark="pass")
    if judged.rejected:
        return Cell(f"{GLYPHS['fail']}{SPACE}rejected", mark="fail")
    return Cell("not chosen", mark="short")


def _checked(check: Check | None) -> Cell:
    """Status, value and limit of one check."""
    if check is None:
        return Cell("–", title="no such check for this candidate")
    glyph = GLYPHS.get(check.status, "·")
    if check.value is None or check.limit is None:
        return Cell(f"{glyph}{SPACE}{check.status}", mark=check.status.replace(" ", "-"), title=check.reason)
    side = "≥" if check.name.startswith("min_") or check.name == "agreement" else "≤"
    limit = f"{side}{SPACE}{check_number(check, check.limit)}"
    mark = check.status.replace(" ", "-")
    return Cell(f"{glyph}{SPACE}{check_number(check, check.value)}", note=limit, mark=mark, title=check.reason)
