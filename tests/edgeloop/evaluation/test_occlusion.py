import numpy as np
import pytest

from edgeloop.evaluation.occlusion import importance_of


def test_what_the_answer_hangs_on_is_important_and_nothing_else():
    whole = np.ones((1, 32, 32), dtype=np.float32)

    def ask(inputs: np.ndarray) -> np.ndarray:
        return inputs[:, 0, 20, 9]

    found = importance_of(whole, ask=ask, certainty=lambda answers: answers)
    assert found.shape == (8, 8)
    assert {tuple(map(int, cell)) for cell in np.argwhere(found == 1)} >= {(5, 2)}
    assert found[:4].max() == found[:, 4:].max() == 0


def test_what_stands_against_the_answer_is_less_than_nothing():
    whole = np.full((2, 64), 3, dtype=np.float32)
    found = importance_of(whole, ask=lambda inputs: -inputs[:, 1, 0], certainty=lambda answers: answers)
    assert found.shape == (32,)
    assert found[0] == -3 and not found[2:].any()


@pytest.mark.parametrize(("shape", "grid"), [((1, 5, 3), (5, 3)), ((1, 1, 1), (1, 1)), ((3, 7), (7,))])
def test_an_input_smaller_than_the_grid_has_a_cell_a_value(shape, grid):
    whole = np.ones(shape, dtype=np.float32)
    found = importance_of(whole, ask=lambda inputs: inputs.reshape(len(inputs), -1).sum(axis=1), certainty=lambda a: a)
    assert found.shape == grid and (found > 0).all()
