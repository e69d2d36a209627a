from __future__ import annotations

from functools import cache
from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task
from grokkeras.tasks.permutations import elements, inverses, number_of, product_table

degrees = st.integers(3, 5)
product_of = cache(product_table)
inverse_of = cache(inverses)


def build(operation: str = "ab", degree: int = 4, **more: object) -> TaskData:
    return make_task(
        {"name": "symmetric_group", "operation": operation, "degree": degree, **more}, seed=1
    )


def compose(*factors: tuple[int, ...]) -> tuple[int, ...]:
    """The product: the last factor acts first."""
    result = tuple(range(len(factors[0])))
    for factor in reversed(factors):
        result = tuple(factor[i] for i in result)
    return result


def inverse(a: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a.index(i) for i in range(len(a)))


BRUTE = {
    "ab": lambda a, b: compose(a, b),
    "aba'": lambda a, b: compose(a, b, inverse(a)),
    "aba": lambda a, b: compose(a, b, a),
}


@pytest.mark.parametrize("operation", sorted(BRUTE))
@pytest.mark.parametrize("degree", [3, 4])
def test_labels_agree_with_brute_force(operation: str, degree: int) -> None:
    task = build(operation, degree)
    numbered = list(permutations(range(degree)))
    seen = set()
    for part in (task.train, task.val, task.test_split()):
        for (a, b, _), label in zip(part.x, part.y, strict=True):
            assert numbered[label] == BRUTE[operation](numbered[a], numbered[b])
            seen.add((int(a), int(b)))
    assert len(seen) == task.num_examples == factorial(degree) ** 2


@given(degree=degrees, data=st.data())
def test_group_laws(degree: int, data: st.DataObject) -> None:
    product, inverse_table = product_of(degree), inverse_of(degree)
    a, b, c = (data.draw(st.integers(0, factorial(degree) - 1)) for _ in range(3))
    assert product[product[a, b], c] == product[a, product[b, c]]
    assert product[a, 0] == product[0, a] == a
    assert product[a, inverse_table[a]] == product[inverse_table[a], a] == 0
    assert inverse_table[product[a, b]] == product[inverse_table[b], inverse_table[a]]


@pytest.mark.parametrize("degree", [3, 4, 5])
def test_a_product_table_is_a_latin_square_and_does_not_commute(degree: int) -> None:
    product = product_of(degree)
    everything = np.arange(factorial(degree))
    assert (np.sort(product, axis=0) == everything[:, None]).all()
    assert (np.sort(product, axis=1) == everything).all()
    assert (product != product.T).any()


@pytest.mark.parametrize("degree", [3, 4, 5, 6])
def test_numbers_are_the_lexicographic_places(degree: int) -> None:
    rows = elements(degree)
    assert [tuple(row) for row in rows] == sorted(permutations(range(degree)))
    assert (number_of(rows) == np.arange(factorial(degree))).all()


@pytest.mark.parametrize("operation", sorted(BRUTE))
def test_s6_is_sound(operation: str) -> None:
    task = build(operation, 6)
    assert (task.num_examples, task.num_classes, task.vocab_size) == (518_400, 720, 721)
    numbered = list(permutations(range(6)))
    for (a, b, _), label in zip(task.train.x[:300], task.train.y[:300], strict=True):
        assert numbered[label] == BRUTE[operation](numbered[a], numbered[b])


def test_encode_and_answer_speak_of_permutations() -> None:
    task = build(degree=3, format="a op b =")
    assert task.encode(a="213", b="132").tolist() == [2, 7, 1, 6]
    assert task.encode(a=2, b=1).tolist() == [2, 7, 1, 6]
    # 132 first (2 and 3 change places), then 213 (1 and 2 do): 1 -> 2, 2 -> 3, 3 -> 1.
    assert task.answer(int(product_of(3)[2, 1])) == "231"


@pytest.mark.parametrize(
    "wrong", ["211", "21", "2134", "abc", "", 6, -1, 1.0, True, None, [2, 1, 3]]
)
def test_permutations_that_are_refused(wrong: object) -> None:
    with pytest.raises(UserError, match="a must be an arrangement of the digits 123"):
        build(degree=3).encode(a=wrong, b="123")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"degree": 7}, "must be 3, 4, 5 or 6, received 7"),
        ({"degree": 2}, "received 2"),
        ({"operation": "ba"}, "Unknown task.operation 'ba'. Known: 'ab', "),
    ],
)
def test_options_that_are_refused(change: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build(**change)
