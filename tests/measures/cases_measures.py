"""Cases that need a backend: measures in a run of ours and in stock `fit`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runner"))
from small import small_config

from grokkeras.callbacks import GrokkingDetector, Measures, TensorBoardLogger
from grokkeras.errors import UserError
from grokkeras.keras_compat.gradients import gradient_function
from grokkeras.logging.event_files import read_events
from grokkeras.measures import MEASURES
from grokkeras.run_folder import read_run
from grokkeras.runner import run
from grokkeras.runner.build import build_run
from grokkeras.runner.measuring import Measuring
from grokkeras.tasks import make_task


def in_a_run():
    """Every measure; the costly ones at 5 evaluations a decade and at the end."""
    changes = {"log__measures": MEASURES.names(), "train__max_steps": 30}
    with tempfile.TemporaryDirectory() as folder:
        run(small_config(keras.config.backend(), **changes), out=Path(folder) / "run")
        records = read_run(Path(folder) / "run").metrics
    names = sorted({key.partition("/")[0] for record in records for key in record})
    costly = [record["step"] for record in records if "gradient_norm" in record]
    assert all("weight_norm" in record and "embedding_ipr" in record for record in records)
    return {"names": names, "costly": costly, "last": records[-1]}


def measures_change_nothing():
    """The same losses and weights with every measure as with none."""
    norms = []
    for names in ([], MEASURES.names()):
        with tempfile.TemporaryDirectory() as folder:
            changes = {"log__measures": names, "train__max_steps": 20, "dropout__rate": 0.2}
            run(small_config(keras.config.backend(), **changes), out=Path(folder) / "run")
            norms.append(
                [record["train_loss"] for record in read_run(Path(folder) / "run").metrics]
            )
    assert norms[0] == norms[1]


def logger_in_stock_fit():
    """Log-spaced points of fit's logs, what other callbacks add, and the detector's events."""
    with tempfile.TemporaryDirectory() as folder:
        logger = TensorBoardLogger(folder, per_decade=10)
        detector = GrokkingDetector(
            train_threshold=0.1, val_threshold=0.1, collapse_threshold=0.05, patience=2, verbose=0
        )
        _fitted(epochs=60, before=[detector], after=[logger])
        return {
            split: _read_scalars(Path(folder) / "tensorboard" / split)
            for split in ("train", "validation")
        }


def _read_scalars(folder):
    points = {}
    for path in folder.iterdir():
        for event in read_events(path):
            for value in event.summary.value:
                points.setdefault(value.tag, []).append(event.step)
    return points


def _fitted(epochs=6, before=(), after=(), **options):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).standard_normal((64, 5)).astype("float32")
    y = (x[:, 0] > 0).astype("int32")
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(2)]
    )
    model.compile(
        keras.optimizers.SGD(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    callback = Measures(train_data=(x, y), **options)
    history = model.fit(
        x,
        y,
        epochs=epochs,
        batch_size=64,
        verbose=0,
        validation_data=(x, y),
        callbacks=[*before, callback, *after],
    )
    return model, callback, history.history, (x, y)


def in_stock_fit():
    names = ["weight_norm", "effective_rank", "gradient_norm", "commutator_defect", "logit_scale"]
    model, callback, history, _ = _fitted(measures=names)
    assert len(history["weight_norm"]) == 6
    total = sum(float(np.sum(np.square(w))) for w in model.get_weights())
    assert abs(history["weight_norm"][-1] - total**0.5) < 1e-4
    assert history["commutator_defect"][-1] > 0
    ranks = [key for key in history if key.startswith("effective_rank/")]
    assert len(ranks) == 2, ranks
    assert history["gradient_norm"][-1] == callback.values["gradient_norm"] > 0
    assert history["logit_scale"][-1] > 0


def the_defaults():
    _, _, history, _ = _fitted()
    assert {"weight_norm", "generalization_gap", "logit_scale", "softmax_collapse"} <= set(history)


def gradients_are_those_of_finite_differences():
    model, _, _, (x, y) = _fitted()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    take = gradient_function(model, loss)
    weights = [np.array(w) for w in model.get_weights()]
    found = take(None, x, y)
    again = take(weights, x, y)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    moved = [np.array(w) for w in weights]
    moved[0][1, 2] += 1e-2
    up = float(keras.ops.convert_to_numpy(loss(y, _call(model, moved, x))))
    moved[0][1, 2] -= 2e-2
    down = float(keras.ops.convert_to_numpy(loss(y, _call(model, moved, x))))
    model.set_weights(weights)
    assert abs((up - down) / 2e-2 - found[0][1, 2]) < 1e-3
    take([np.zeros_like(w) for w in weights], x, y)
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


def shares_leave_examples_out():
    model, _, _, (x, y) = _fitted()
    take = gradient_function(
        model, lambda y, z: keras.losses.sparse_categorical_crossentropy(y, z, from_logits=True)
    )
    shares = np.repeat(np.array([2.0, 0.0], "float32"), 32)
    whole, part = take(None, x, y, shares), take(None, x[:32], y[:32])
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def a_gradient_in_batches_is_that_of_all():
    config = small_config(keras.backend.backend(), log__measures=["gradient_norm"])
    task = make_task(config.task, config.seed)
    program, _ = build_run(config, task)
    x, y = task.train.x, task.train.y
    whole = gradient_function(program.model, program.recipe.loss.call)
    for count in (len(x), len(x) - 3):  # two full batches or nearly; one that is filled up
        found = Measuring(config, task, program)._gradient(None, np.arange(count))
        for one, other in zip(found, whole(None, x[:count], y[:count]), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def _call(model, weights, x):
    model.set_weights(weights)
    return model(x)


def what_is_refused():
    for options, part in (
        ({"measures": ["weight_nrm"]}, "weight_norm"),
        ({"measures": "weight_norm"}, "list of names"),
        ({"train_data": 3}, "pair"),
        ({"costly_per_decade": 0}, "1 or more"),
    ):
        try:
            Measures(**options)
        except UserError as error:
            assert part in str(error), error
        else:
            raise AssertionError(options)


def main():
    return {
        case.__name__: case
        for case in (
            in_a_run,
            measures_change_nothing,
            in_stock_fit,
            the_defaults,
            logger_in_stock_fit,
            gradients_are_those_of_finite_differences,
            shares_leave_examples_out,
            a_gradient_in_batches_is_that_of_all,
            what_is_refused,
        )
    }
