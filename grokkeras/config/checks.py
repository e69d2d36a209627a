"""What no single field can tell: values that do not go together.

Each check is a generator of faults, reads a `Draft`, and is passed over where a value it needs was
refused already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grokkeras.config.data_checks import CHECKS as DATA_CHECKS
from grokkeras.config.data_checks import SHAPE_CHECKS as DATA_SHAPE_CHECKS
from grokkeras.config.data_checks import may_grow
from grokkeras.config.draft import Draft, UnsoundError
from grokkeras.config.explain import NOTHING
from grokkeras.config.optimizer_checks import CHECKS as OPTIMIZER_CHECKS
from grokkeras.config.schedule_checks import CHECKS as SCHEDULE_CHECKS
from grokkeras.config.shape import TaskShape, task_shape
from grokkeras.config.start_checks import CHECKS as START_CHECKS
from grokkeras.errors import Fault

Check = Callable[[Draft], Iterator[Fault]]

# The least number that bfloat16, with 8 digits of mantissa, rounds up to 1.
_ONE_IN_BFLOAT16 = 1 - 2**-9


def cross_field_faults(draft: Draft) -> list[Fault]:
    """The faults of a configuration whose parts may each be sound."""
    return _run(_CHECKS, draft)


def data_faults(draft: Draft, shape: TaskShape) -> list[Fault]:
    """What does not fit the data's sizes; for `arrays`, known only once its file is open."""
    return _run([_bound(check, shape) for check in _SHAPE_CHECKS], draft)


def is_prime(number: int) -> bool:
    """Whether a number is prime, by trial division."""
    return number > 1 and all(number % factor for factor in range(2, int(number**0.5) + 1))


def nearest_prime(number: int) -> int:
    """The prime next to a number, the smaller of two equally near."""
    distance = 0
    while True:
        for candidate in (number - distance, number + distance):
            if is_prime(candidate):
                return candidate
        distance += 1


def _run(checks: list[Check], draft: Draft) -> list[Fault]:
    faults: list[Fault] = []
    for check in checks:
        try:
            faults += check(draft)
        except UnsoundError:
            continue
    return faults


def _bound(check: Callable[[Draft, TaskShape], Iterator[Fault]], shape: TaskShape) -> Check:
    return lambda draft: check(draft, shape)


def _division_needs_a_prime(draft: Draft) -> Iterator[Fault]:
    if draft["task.name"] == "modular_mixture":
        divides = "divide" in draft["task.operations"]
    else:
        divides = draft["task.name"] == "modular_arithmetic" and draft["task.operation"] == "divide"
    if not divides:
        return
    modulus = draft["task.modulus"]
    if not is_prime(modulus):
        near = nearest_prime(modulus)
        yield Fault("task.modulus", modulus, f"a prime, since the task divides, such as {near}")


def _bits_suffice(draft: Draft) -> Iterator[Fault]:
    if draft["task.name"] != "sparse_parity":
        return
    bits = draft["task.num_bits"]
    try:
        relevant = draft["task.num_relevant"]
        if relevant > bits:
            yield Fault("task.num_relevant", relevant, f"at most task.num_bits, {bits}")
    except UnsoundError:
        pass
    examples = draft["task.num_examples"]
    if examples > 2**bits:
        rows = f"{2**bits:,} different rows of {bits} bits"
        yield Fault("task.num_examples", examples, f"at most the {rows} that there are")


def _fractions_leave_a_test_split(draft: Draft) -> Iterator[Fault]:
    train, val = draft["task.train_fraction"], draft["task.val_fraction"]
    if train + val >= 1:
        yield Fault(
            "task.val_fraction",
            val,
            f"below {1 - train:.3g}: with train_fraction {train:g} nothing is left for the test",
        )


def _heads_divide_the_width(draft: Draft) -> Iterator[Fault]:
    if draft["model.name"] != "transformer":
        return
    width, heads = draft["model.width"], draft["model.num_heads"]
    if width % heads:
        divisors = [n for n in range(1, min(width, 4 * heads) + 1) if width % n == 0]
        near = sorted(sorted(divisors, key=lambda n: abs(n - heads))[:3])
        words = f"a number that divides model.width, {width}, such as {_either(near)}"
        yield Fault("model.num_heads", heads, words)


def _nesterov_needs_momentum(draft: Draft) -> Iterator[Fault]:
    if draft["optimizer.name"] != "sgd":
        return
    if draft["optimizer.nesterov"] and not draft["optimizer.momentum"]:
        yield Fault("optimizer.nesterov", True, "false, or optimizer.momentum above 0, such as 0.9")


def _betas_fit_the_precision(draft: Draft) -> Iterator[Fault]:
    """Keras takes beta_2 to a power in the weights' dtype, where 1 - 1 makes each step 0."""
    if draft["train.dtype"] != "bfloat16":
        return
    if draft["optimizer.name"] in ("adamw", "adam", "muon"):
        beta_2 = draft["optimizer.beta_2"]
        if beta_2 >= _ONE_IN_BFLOAT16:
            words = "at most 0.998 where train.dtype is bfloat16, which rounds more to 1"
            yield Fault("optimizer.beta_2", beta_2, f"{words}; or train.dtype: mixed_bfloat16")


def _thresholds_of_an_accuracy(draft: Draft) -> Iterator[Fault]:
    if draft["detector.metric"] != "accuracy":
        return
    for key in ("train_threshold", "val_threshold"):
        dotted = f"detector.{key}"
        try:
            if draft[dotted] > 1:
                yield Fault(dotted, draft[dotted], "an accuracy, at most 1 (0.99 is 99 %)")
        except UnsoundError:
            continue
    collapse, val = draft["detector.collapse_threshold"], draft["detector.val_threshold"]
    if val <= 1 and collapse > val:
        yield Fault(
            "detector.collapse_threshold", collapse, f"at most detector.val_threshold, {val:g}"
        )


def _thresholds_of_a_loss(draft: Draft) -> Iterator[Fault]:
    if draft["detector.metric"] != "loss":
        return
    for key, example in (("train_threshold", 0.01), ("val_threshold", 0.1)):
        if not draft.given(f"detector.{key}"):
            yield Fault(
                f"detector.{key}",
                NOTHING,
                f"an upper bound of your loss, such as {example:g} (metric: loss has no default)",
            )
    collapse, val = draft["detector.collapse_threshold"], draft["detector.val_threshold"]
    if draft.given("detector.val_threshold") and collapse < val:
        words = f"at least detector.val_threshold, {val:g}: a larger loss is a collapse"
        yield Fault("detector.collapse_threshold", collapse, words)


def _measures_once_each(draft: Draft) -> Iterator[Fault]:
    measures = draft["log.measures"]
    for index, measure in enumerate(measures):
        if measure in measures[:index]:
            yield Fault(f"log.measures.{index}", measure, "each measure once")


def _sizes_of_the_task(draft: Draft) -> Iterator[Fault]:
    shape = task_shape(draft.section("task"))
    if shape is not None:
        unknown = (_batch_within_the_data, *DATA_SHAPE_CHECKS) if may_grow(draft) else ()
        known = [check for check in _SHAPE_CHECKS if check not in unknown]
        yield from _run([_bound(check, shape) for check in known], draft)


def _no_split_is_empty(draft: Draft, shape: TaskShape) -> Iterator[Fault]:
    train, val = draft["task.train_fraction"], draft["task.val_fraction"]
    if train + val >= 1:
        return  # told already, without the data
    counts = (shape.num_train, shape.num_val, shape.num_test)
    if min(counts) < 1:
        names = ("train", "val", "test")
        empty = next(name for name, count in zip(names, counts, strict=True) if count < 1)
        key = "task.val_fraction" if empty == "test" else f"task.{empty}_fraction"
        yield Fault(
            key,
            draft[key],
            f"one that leaves an example in each split; the {empty} split of these "
            f"{shape.num_examples:,} examples is empty",
        )


def _batch_within_the_data(draft: Draft, shape: TaskShape) -> Iterator[Fault]:
    size = draft["train.batch_size"]
    if size != "full" and size > shape.num_train > 0:
        words = f"at most the {shape.num_train:,} training examples, or full for all of them"
        yield Fault("train.batch_size", size, words)


def _tied_head_has_a_token_for_each_class(draft: Draft, shape: TaskShape) -> Iterator[Fault]:
    if draft["model.name"] != "transformer" or shape.vocab_size is None:
        return
    if draft["model.tied_head"] and shape.num_classes > shape.vocab_size:
        yield Fault(
            "model.tied_head",
            True,
            f"false: the {shape.num_classes:,} classes need as many tokens, and the data has "
            f"{shape.vocab_size:,}",
        )


def _model_reads_the_inputs(draft: Draft, shape: TaskShape) -> Iterator[Fault]:
    task = draft["task.name"]
    if draft["model.name"] == "transformer":
        if shape.vocab_size is None:
            yield Fault("model.name", "transformer", f"mlp: {task} has features, not tokens")
        return
    encoding = draft["model.encoding"]
    if shape.vocab_size is None:
        if encoding != "none":
            yield Fault("model.encoding", encoding, f"none: {task} has features, not tokens")
        return
    if encoding == "none":
        yield Fault("model.encoding", encoding, f"one_hot or embedding: {task} has tokens")
    ranges = shape.token_ranges or ()
    if encoding == "signed" and any(count > 2 for _, count in ranges):
        largest = max(count for _, count in ranges)
        yield Fault(
            "model.encoding",
            encoding,
            f"one_hot or embedding: signed is for bits, and {task} has {largest:,} tokens a place",
        )


def _either(numbers: list[int]) -> str:
    return " or ".join(str(number) for number in numbers)


_CHECKS: list[Check] = [
    _division_needs_a_prime,
    _bits_suffice,
    _fractions_leave_a_test_split,
    _heads_divide_the_width,
    _nesterov_needs_momentum,
    _betas_fit_the_precision,
    *OPTIMIZER_CHECKS,
    *SCHEDULE_CHECKS,
    *START_CHECKS,
    *DATA_CHECKS,
    _thresholds_of_an_accuracy,
    _thresholds_of_a_loss,
    _measures_once_each,
    _sizes_of_the_task,
]
_SHAPE_CHECKS = [
    _no_split_is_empty,
    _batch_within_the_data,
    _tied_head_has_a_token_for_each_class,
    _model_reads_the_inputs,
    *DATA_SHAPE_CHECKS,
]
