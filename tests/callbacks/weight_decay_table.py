"""Every Keras optimizer with weight decay: does a decay changed in mid-training change the weights?

    KERAS_BACKEND=jax PYTHONPATH=. python tests/callbacks/weight_decay_table.py

One row an optimizer, stock `fit`, decay 0.5 for four steps and then 3.0 for four:

- `formula`: the gradient is 0, so eight steps must leave the share (1 - rate * decay) of each step
  of every weight. Ftrl computes weights from its own state and has no such formula;
  ScheduleFreeAdamW mixes each decayed weight with its average, which `_schedule_free` follows.
- `restart`: with real gradients, the same as stock Keras with constant decay, stopped after four
  steps and started again with the other constant and the same optimizer state.
- `plain Keras`: `optimizer.weight_decay = v` in a callback of one's own, against the formula (Ftrl:
  against the restart).

Optimizers are built before `fit`: left to build in the compiled step, as TensorFlow does it,
Keras 3.15's ScheduleFreeAdamW trains otherwise, since its momentum is initialised in that step.

Numbers are the largest error of any weight, as a share of the largest weight.
"""

from __future__ import annotations

import json
import sys

import keras
import numpy as np
from decayed_model import NAMES, RATE, WEIGHTS, far, fit, make_optimizer, no_gradient, parts
from decayed_model import model as unbuilt_model
from decayed_model import product as product_of

from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler

DECAYS = [0.5] * 4 + [3.0] * 4
SCHEDULE = schedules.Piecewise([4], [0.5, 3.0])


def model(optimizer, loss="mse"):
    built = unbuilt_model(optimizer, loss)
    optimizer.build(built.trainable_variables)
    return built


class Plain(keras.callbacks.Callback):
    """What people write."""

    def on_epoch_begin(self, epoch, logs=None):
        for part in parts(self.model.optimizer):
            part.weight_decay = DECAYS[epoch]
            if hasattr(part, "adam_weight_decay"):
                part.adam_weight_decay = DECAYS[epoch]


def _schedule_free(weights, beta=0.9):
    """Schedule-Free AdamW (Defazio et al. 2024) without gradients: z stands, y decays, x averages.

    `y` is the model's weight, a mix of `z` and `x`; from `y` after its decay `x` is taken back,
    averaged with `z`, and mixed again.
    """
    z, y = weights, weights
    for step, decay in enumerate(DECAYS, start=1):
        y = y * (1 - RATE * decay)
        x = (y - (1 - beta) * z) / beta
        y = (1 - beta) * z + beta * ((1 - 1 / step) * x + z / step)
    return y


def by_formula(name):
    """The weights after the eight steps without gradients; None where there is no formula."""
    if name == "Ftrl":
        return None
    if name == "ScheduleFreeAdamW":
        return [_schedule_free(w) for w in WEIGHTS]
    return [w * product_of(DECAYS) for w in WEIGHTS]


def scheduled(name, loss):
    """The weights under the schedule; the optimizer was made with another decay."""
    built = model(make_optimizer(name, 0.1), loss)
    fit(built, 8, [WeightDecayScheduler(SCHEDULE)])
    return built.get_weights()


def plain(name, loss):
    """The weights with a callback that sets the attribute."""
    built = model(make_optimizer(name, 0.5), loss)
    fit(built, 8, [Plain()])
    return built.get_weights()


def restarted(name):
    """The weights of two stock optimizers of constant decay, one after the other."""
    first = model(make_optimizer(name, 0.5))
    fit(first, 4)
    second = model(make_optimizer(name, 3.0))
    second.set_weights(first.get_weights())
    pairs = zip(second.optimizer.variables, first.optimizer.variables, strict=True)
    for new, old in pairs:
        new.assign(old)
    fit(second, 4)
    return second.get_weights()


def row(name):
    """The errors of one optimizer."""
    expected, again = by_formula(name), restarted(name)
    real = scheduled(name, "mse")
    result = {"optimizer": name, "restart": far(real, again)}
    if expected is None:
        result |= {"formula": None, "plain": far(plain(name, "mse"), again)}
    else:
        result |= {
            "formula": far(scheduled(name, no_gradient), expected),
            "plain": far(plain(name, no_gradient), expected),
        }
    return result


def rows():
    """The table of the present backend."""
    return [row(name) for name in NAMES]


def _shown(value):
    return "-" if value is None else f"{value:.1e}"


def main():
    """Prints the table, or with `--json` its rows."""
    found = rows()
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    print(f"Keras {keras.__version__}, {keras.backend.backend()}, NumPy {np.__version__}\n")
    print("| optimizer | scheduler: formula | scheduler: restart | plain Keras |")
    print("| --- | --- | --- | --- |")
    for each in found:
        cells = [_shown(each[key]) for key in ("formula", "restart", "plain")]
        print(f"| {each['optimizer']} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
