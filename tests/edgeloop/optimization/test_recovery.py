from pathlib import Path
from typing import Any

import pytest

from edgeloop.errors import EdgeloopError, MissingExtra, ModelFault
from edgeloop.optimization.judgement import Judgement
from edgeloop.optimization.recipes import Recipe, Tuning, with_followers
from edgeloop.optimization.recovery import Harm, Rung, Search, Trial, searched
from edgeloop.variants import Check, Tool

PLAIN = Recipe()
TUNING = Tuning(epochs=2, learning_rate=0.1, seed=0)
HARMS = tuple(Harm(f"layer{n:02d}", float(n)) for n in range(16))


def judgement(status: str = "fail", name: str = "accuracy_drop", drop: float = 0.1) -> Judgement:
    return Judgement((Check(name=name, status=status),), {"drop": drop})


def search(
    judge,
    *,
    plain: Recipe = PLAIN,
    trials: int = 64,
    methods=("minmax", "entropy", "percentile"),
    corrects_bias: bool = False,
    **last: Any,
) -> Search:
    def attempt(rung: Rung, recipe: Recipe) -> Trial:
        return Trial(rung, recipe, Path("m"), Tool(name="t", version="1"), judge(rung, recipe))

    return searched(
        plain, methods=methods, corrects_bias=corrects_bias, attempt=attempt, harms=lambda: HARMS, trials=trials, **last
    )


def rungs(found: Search) -> list[str]:
    return [trial.rung for trial in found.trials]


def test_a_plain_recipe_that_passes_is_all_that_is_tried() -> None:
    found = search(lambda *_: judgement("pass"))
    assert (rungs(found), found.harms, found.fallback) == (["plain"], (), None)


def test_the_rungs_follow_in_their_order() -> None:
    found = search(lambda *_: judgement())
    assert rungs(found) == ["plain"] + 4 * ["mixed precision"] + 2 * ["calibration"] + ["bias correction"]


def test_the_most_harmful_layers_are_kept_and_more_of_them_each_time() -> None:
    kept = [trial.recipe.kept_float for trial in search(lambda *_: judgement()).trials[1:5]]
    assert [len(layers) for layers in kept] == [1, 2, 4, 8]
    assert kept[1] == ("layer00", "layer01")


def test_mixed_precision_ends_where_the_file_is_too_large() -> None:
    found = search(lambda rung, _: judgement(name="size_ratio" if rung == "mixed precision" else "accuracy_drop"))
    assert rungs(found).count("mixed precision") == 1


def test_the_search_ends_with_what_passes() -> None:
    found = search(lambda _, recipe: judgement("pass" if recipe.method == "entropy" else "fail"))
    assert rungs(found)[-1] == "calibration"
    assert found.best.recipe.method == "entropy"


def test_biases_are_corrected_with_the_method_that_lost_least() -> None:
    found = search(lambda _, recipe: judgement(drop=0.05 if recipe.method == "percentile" else 0.1))
    assert found.trials[-1].recipe == Recipe(method="percentile", bias_correction="full")


def test_a_scheme_that_corrects_biases_has_no_such_rung() -> None:
    assert "bias correction" not in rungs(search(lambda *_: judgement(), corrects_bias=True))


def test_biases_that_were_corrected_the_fast_way_are_corrected_in_full_after_the_cheaper_rungs() -> None:
    fast = PLAIN.model_copy(update={"bias_correction": "fast"})
    judgements = {"fast": judgement(), "full": judgement("pass")}
    found = search(lambda _, recipe: judgements[recipe.bias_correction], plain=fast, corrects_bias=True)
    assert (rungs(found)[1], rungs(found)[-1]) == ("mixed precision", "bias correction")
    assert found.best.recipe.bias_correction == "full"


def test_biases_are_corrected_in_full_once() -> None:
    fast = PLAIN.model_copy(update={"bias_correction": "fast"})
    assert rungs(search(lambda *_: judgement(), plain=fast, corrects_bias=True)).count("bias correction") == 1


def test_training_is_tried_last_and_with_the_plain_recipe() -> None:
    found = search(lambda *_: judgement(), tuning=TUNING)
    assert rungs(found)[-2:] == ["bias correction", "quantization-aware training"]
    assert found.trials[-1].recipe == PLAIN.model_copy(update={"tuning": TUNING})


def test_a_trial_tells_how_the_weights_were_trained_on() -> None:
    recipe = PLAIN.model_copy(update={"tuning": TUNING})
    trial = Trial("quantization-aware training", recipe, Path(__file__), Tool(name="t", version="1"), judgement(), "ab")
    told = trial.told()
    assert told["tuning"] == {"epochs": 2, "learning_rate": 0.1, "seed": 0}
    assert told["tuned_sha256"] == "ab"


def test_other_trials_say_nothing_of_training() -> None:
    told = Trial("plain", PLAIN, Path(__file__), Tool(name="t", version="1"), judgement()).told()
    assert not {"tuning", "tuned_sha256"} & told.keys()


def test_the_fallback_says_why_training_was_left_out() -> None:
    fallback = search(lambda *_: judgement(), trials=3, omitted="training, for there are no weights").fallback
    assert fallback is not None and fallback.endswith("; not tried: training, for there are no weights")


@pytest.mark.parametrize("kind", [ModelFault, MissingExtra])
def test_training_that_fails_is_a_reason_and_no_error(kind: type[EdgeloopError]) -> None:
    def judge(rung: Rung, recipe: Recipe) -> Judgement:
        if recipe.tuning:
            raise kind("cannot be exported", where="net", fix="change it")
        return judgement()

    found = search(judge, tuning=TUNING)
    assert "quantization-aware training" not in rungs(found)
    assert found.fallback is not None and "for it failed: net: cannot be exported" in found.fallback


def test_a_rung_that_fails_is_left_out_and_the_next_is_tried() -> None:
    def judge(rung: Rung, recipe: Recipe) -> Judgement:
        if recipe.kept_float:
            raise ModelFault("cannot be quantized", where="net", fix="change it")
        return judgement()

    found = search(judge, tuning=TUNING)
    assert "mixed precision" not in rungs(found) and rungs(found)[-1] == "quantization-aware training"
    assert found.fallback is not None and "mixed precision, for it failed: net: cannot be" in found.fallback


def test_a_plain_recipe_that_fails_ends_the_search() -> None:
    def judge(rung: Rung, recipe: Recipe) -> Judgement:
        raise ModelFault("cannot be quantized", where="net", fix="change it")

    with pytest.raises(ModelFault):
        search(judge)


@pytest.mark.parametrize("trials", [1, 2, 5])
def test_the_budget_is_kept(trials: int) -> None:
    assert len(search(lambda *_: judgement(), trials=trials).trials) == trials


@pytest.mark.parametrize(("name", "status"), [("size_ratio", "fail"), ("accuracy_drop", "not evaluated")])
def test_what_no_recipe_can_mend_is_not_tried(name: str, status: str) -> None:
    assert rungs(search(lambda *_: judgement(status, name))) == ["plain"]


def test_a_scheme_without_methods_has_one_recipe() -> None:
    assert rungs(search(lambda *_: judgement(), methods=())) == ["plain"]


def test_the_fallback_says_how_much_was_tried_and_what_was_missed() -> None:
    assert search(lambda *_: judgement(), trials=3).fallback == (
        "float is kept: none of 3 trials is within the limits; the nearest, plain: accuracy_drop fail"
    )


def test_what_follows_a_kept_layer_stays_float_up_to_the_next_layer() -> None:
    consumers = {"conv1": ["relu"], "relu": ["add"], "add": ["conv2"], "conv2": ["relu2"]}
    assert with_followers({"conv1"}, consumers=consumers, layers={"conv1", "conv2"}) == {"conv1", "relu", "add"}
