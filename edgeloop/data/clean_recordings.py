"""The clean set of recordings: whole files with an accepted window, and a list of the windows that are left out."""

from pathlib import Path

from edgeloop.canonical import sha256_of_bytes
from edgeloop.contract import parsed
from edgeloop.data.dataset import Sample
from edgeloop.data.left_out import LeftOut, write
from edgeloop.data.placing import CHANGED, Accepted, placed
from edgeloop.data.sources import RawSample
from edgeloop.data.sources.signals import SignalsOptions, cut_windows, recordings
from edgeloop.errors import DataFault
from edgeloop.progress import Advance


def write_clean_recordings(accepted: Accepted, folder: Path, advance: Advance) -> list[bool]:
    """Writes the files of the accepted windows to `folder`; whether each is a link.

    Raises:
        DataFault: A window is no longer what was judged.
    """
    options = parsed(SignalsOptions, accepted.options, where="prepare_data.options")
    known = {sample.id: sample for sample in accepted.samples}
    files, left_out = [], []
    for recording in recordings(accepted.path, options):
        windows = list(cut_windows(recording, options))
        refused = [window.id for window in windows if not _is_accepted(window, known)]
        if len(refused) == len(windows):
            continue
        left_out += refused
        files.append(placed(recording.path, folder / recording.path.relative_to(recording.folder)))
        advance(len(windows) - len(refused), "")
    write(folder, LeftOut(cut=options.cut, windows=tuple(sorted(left_out))))
    return files


def _is_accepted(window: RawSample, known: dict[str, Sample]) -> bool:
    """Whether a window stays.

    Raises:
        DataFault: It would, but is another one now.
    """
    sample = known.get(window.id)
    if sample is None or window.content is None:
        return False
    if sha256_of_bytes(window.content) != sample.sha256:
        raise DataFault(CHANGED, where=window.id, fix="run again when nobody writes to it")
    return True
