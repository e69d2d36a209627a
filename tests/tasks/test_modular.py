from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokkeras.errors import UserError
from grokkeras.tasks import TaskData, make_task
from grokkeras.tasks.modular import OPERATIONS, is_prime

PRIMES = [2, 3, 5, 7, 13, 31, 97]


def build(operation: str = "add", modulus: int = 13, **more: object) -> TaskData:
    return make_task(
        {"name": "modular_arithmetic", "operation": operation, "modulus": modulus, **more}, seed=0
    )


def table(task: TaskData) -> dict[tuple[int, int], int]:
    """Every pair's label, from all three parts of a task with tokens a, b, =."""
    parts = (task.train, task.val, task.test_split())
    return {
        (int(a), int(b)): int(y)
        for part in parts
        for (a, b, _), y in zip(part.x, part.y, strict=True)
    }


# Written out with Python's own integers, so that a mistake in the arrays cannot hide.
BRUTE = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "x2+y2": lambda x, y: x * x + y * y,
    "x2+xy+y2": lambda x, y: x * x + x * y + y * y,
    "x2+xy+y2+x": lambda x, y: x * x + x * y + y * y + x,
    "x3+xy": lambda x, y: x * x * x + x * y,
    "x3+xy2+y": lambda x, y: x * x * x + x * y * y + y,
}


@pytest.mark.parametrize("operation", sorted(BRUTE))
@pytest.mark.parametrize("modulus", [4, 12, 13])
def test_labels_agree_with_brute_force(operation: str, modulus: int) -> None:
    brute = {
        (a, b): BRUTE[operation](a, b) % modulus for a in range(modulus) for b in range(modulus)
    }
    assert table(build(operation, modulus)) == brute


def test_every_operation_is_held_against_something() -> None:
    assert set(OPERATIONS) == set(BRUTE) | {"divide"}


@given(p=st.sampled_from(PRIMES[2:]))
def test_division_undoes_multiplication(p: int) -> None:
    quotients = table(build("divide", p))
    assert set(quotients) == {(a, b) for a in range(p) for b in range(1, p)}
    assert all(quotient * b % p == a for (a, b), quotient in quotients.items())


@given(modulus=st.integers(3, 24), data=st.data())
def test_laws_of_addition_and_subtraction(modulus: int, data: st.DataObject) -> None:
    add, subtract = table(build("add", modulus)), table(build("subtract", modulus))
    a, b, c = (data.draw(st.integers(0, modulus - 1)) for _ in range(3))
    assert add[a, b] == add[b, a]
    assert add[add[a, b], c] == add[a, add[b, c]]
    assert subtract[add[a, b], b] == a
    assert add[a, 0] == a


@pytest.mark.parametrize(
    ("task_format", "row", "ranges", "vocab"),
    [
        ("a b", [12, 5], ((0, 13), (0, 13)), 13),
        ("a b =", [12, 5, 13], ((0, 13), (0, 13), (13, 1)), 14),
        ("a op b =", [12, 14, 5, 13], ((0, 13), (14, 1), (0, 13), (13, 1)), 15),
    ],
)
def test_formats(task_format: str, row: list[int], ranges: tuple, vocab: int) -> None:
    task = build("add", format=task_format)
    assert task.encode(a=12, b=5).tolist() == row
    assert (task.token_ranges, task.vocab_size, task.length) == (ranges, vocab, len(row))
    assert task.train.x.shape[1] == len(row)


def test_division_has_no_zero_divisor() -> None:
    task = build("divide")
    assert task.token_ranges == ((0, 13), (1, 12), (13, 1))
    assert task.num_examples == 13 * 12
    with pytest.raises(UserError, match="b must be an integer from 1 to 12, received 0"):
        task.encode(a=1, b=0)


@pytest.mark.parametrize(
    ("operands", "words"),
    [
        ({"a": 13, "b": 0}, "a must be an integer from 0 to 12, received 13"),
        ({"a": 1, "b": -1}, "b must be an integer"),
        ({"a": 1.0, "b": 1}, "received 1.0"),
        ({"a": True, "b": 1}, "received True"),
        ({"a": 1}, "Expected the operands a and b, received a"),
        ({"a": 1, "b": 1, "c": 1}, "received a, b, c"),
        ({}, "received nothing"),
    ],
)
def test_operands_that_are_refused(operands: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build().encode(**operands)


def test_answer_is_the_residue() -> None:
    task = build()
    assert task.answer(np.int64(12)) == 12
    with pytest.raises(UserError, match="0 to 12"):
        task.answer(13)


def test_sentence_for_the_terminal() -> None:
    assert build("add", 97).describe() == (
        "addition mod 97: 9,409 examples, 3,764 to train on, 2,823 to validate on, "
        "2,822 kept for the test"
    )
    assert build("x3+xy").describe().startswith("x3+xy mod 13: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"operation": "ad"}, "Unknown task.operation 'ad'. Did you mean 'add'"),
        ({"modulus": 1}, "modulus must be 2 or more, received 1"),
        ({"operation": "divide", "modulus": 12}, "needs a prime .* received 12"),
        ({"format": "a b="}, "Unknown task.format 'a b='. Did you mean"),
    ],
)
def test_options_that_are_refused(change: dict, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build(**change)


@given(number=st.integers(-3, 400))
def test_is_prime(number: int) -> None:
    divisors = [d for d in range(1, max(number, 0) + 1) if number % d == 0]
    assert is_prime(number) == (len(divisors) == 2)
