import io

from pipelines.watching import Lines, Watcher


class Seen:
    def __init__(self):
        self.events = []

    def started(self, step):
        self.events.append(("started", step))

    def advanced(self, step, done, total, text):
        self.events.append((step, done, total, text))

    def ended(self, step, *, succeeded, seconds):
        self.events.append(("ended", step, succeeded, seconds))


def watched(*chunks):
    seen, log, now = Seen(), io.StringIO(), iter(range(100))
    watcher = Watcher(log, seen, clock=lambda: float(next(now)))
    for chunk in chunks:
        watcher.write(chunk)
    return seen.events, log.getvalue(), watcher


def test_lines_of_kfp_move_the_view():
    events, _, watcher = watched(
        "05:00:00.1 - INFO - Executing task \x1b[96m'prepare-data'\x1b[0m\n",
        "05:00:01.1 - INFO - Task \x1b[96m'prepare-data'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m\n",
    )
    assert events == [("started", "prepare_data"), ("ended", "prepare_data", True, 1.0)]
    assert watcher.states == {"prepare_data": "SUCCESS"}


def test_marks_of_progress_are_shown_and_not_logged():
    mark = '::progress {"step": "train", "done": 1, "total": 3, "text": "x"}\n'
    events, log, _ = watched("    ", mark[:20], mark[20:])
    assert events == [("train", 1, 3, "x")]
    assert log == ""


def test_a_torn_mark_does_no_harm():
    events, log, _ = watched('::progress {"step": "tra\n')
    assert events == []
    assert '{"step": "tra' in log


def test_importers_are_not_steps():
    events, _, watcher = watched("Executing task 'imported-train-model'\n")
    assert events == []
    assert watcher.states == {}


def test_the_last_words_are_kept_for_the_error():
    _, _, watcher = watched("    Killed\n", "\n\n")
    assert watcher.last_line == "Killed"


def test_a_step_that_ends_is_one_line():
    stream = io.StringIO()
    Lines(stream).ended("train", succeeded=False, seconds=2.345)
    assert stream.getvalue() == "FAILED train             2.3 s\n"
