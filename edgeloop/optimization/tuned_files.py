"""The float files of weights that were trained on: made when first asked for, once for all schemes of a run."""

from collections.abc import Mapping
from pathlib import Path

from edgeloop import plugins
from edgeloop.canonical import sha256_of_file
from edgeloop.conversion import TRAINED, Converter, ConvertParams, with_sources
from edgeloop.files import copy_file
from edgeloop.models import CARD_FILE
from edgeloop.optimization.recipes import Tuning
from edgeloop.optimization.tuning import Lesson, tune
from edgeloop.progress import Advance
from edgeloop.variants import PlacedVariant


class TunedFiles:
    """See the module.

    Args:
        originals: The converted variants by name, the trained weights among them.
        lesson: What is learned from.
        folder: An empty folder to work in.
        advance: Told of every epoch.
    """

    def __init__(
        self, originals: Mapping[str, PlacedVariant], lesson: Lesson, *, folder: Path, advance: Advance
    ) -> None:
        self._originals, self._lesson = originals, lesson
        self._folder, self._advance = folder, advance

    def of(self, name: str, tuning: Tuning) -> Path:
        """The file that takes the place of the variant `name`, converted as that one was.

        Raises:
            ModelFault: The tuned network cannot be converted.
            MissingExtra: A package is not installed.
        """
        trained = self._tuned(tuning)
        if name == TRAINED:
            return trained
        *before, wanted = with_sources([name.removesuffix("-fp32")])
        for format_name in before:
            self.of(f"{format_name}-fp32", tuning)
        converter: Converter = plugins.load("conversion", wanted)
        target = trained.with_name(f"{name}{converter.suffix}")
        if not target.exists():
            source = next(path for path in trained.parent.iterdir() if path.stem == f"{converter.source}-fp32")
            opset = self._originals[name].variant.made_by.options.get("opset")
            params = ConvertParams(opset=opset) if opset else ConvertParams()
            converter.convert(trained.parent, source, target=target, params=params)
        return target

    def sha256(self, tuning: Tuning) -> str:
        """Of the weights."""
        return sha256_of_file(self._tuned(tuning))

    def _tuned(self, tuning: Tuning) -> Path:
        """The weights, with the card beside them."""
        original = self._originals[TRAINED]
        path = self._folder / original.variant.file
        if not path.exists():
            copy_file(original.folder / CARD_FILE, self._folder / CARD_FILE)
            tune(original.folder, original.path, lesson=self._lesson, tuning=tuning, target=path, advance=self._advance)
        return path
