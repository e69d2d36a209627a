"""The train function that stands in for a model's own, and what Keras does without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent

CODE = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import keras
import decayed_model as stock
from grokkeras.keras_compat.train_function import enter, leave

BACKEND = keras.backend.backend()
model = stock.model(keras.optimizers.SGD(0.1, weight_decay=1.0), stock.no_gradient)
seen = []
apply = type(model.optimizer)._apply_weight_decay
type(model.optimizer)._apply_weight_decay = lambda self, v: (seen.append(1), apply(self, v))[1]

def traces():
    "How often the step was traced in one more fit; PyTorch runs it at every step."
    seen.clear()
    stock.fit(model, 1)
    return len(seen)

NEW, KNOWN = (1, 1) if BACKEND == "torch" else (1, 0)
assert traces() == NEW and traces() == KNOWN
own = model.train_function
a, b = object(), object()

enter(model, a)
alone = model.train_function
assert alone is not own and traces() == NEW and traces() == KNOWN
enter(model, a)
assert model.train_function is alone
enter(model, b)
both = model.train_function
assert both not in (own, alone) and traces() == NEW and traces() == KNOWN
# In whichever order they leave; then all are found again, compiled.
leave(model, a)
leave(model, b)
assert model.train_function is own and traces() == KNOWN
enter(model, a)
assert model.train_function is alone and traces() == KNOWN
enter(model, b)
assert model.train_function is both and traces() == KNOWN
leave(model, b)
assert model.train_function is alone
leave(model, a)
assert model.train_function is own

# After another compile nothing old is used, and nothing keeps what was.
import gc, weakref
gone = [weakref.ref(f) for f in (model.train_function, alone, both, own)]
del own, alone, both
enter(model, a)
leave(model, a)
model.compile(keras.optimizers.SGD(0.1, weight_decay=0.0), stock.no_gradient)
assert all(ref() is None for ref in gone), [ref() for ref in gone]
enter(model, a)
assert traces() == NEW
leave(model, a)
assert traces() == NEW

# Somebody compiles the step anew meanwhile: it is not kept.
enter(model, a)
model.make_train_function(force=True)
leave(model, a)
assert model.train_function is None
assert traces() == NEW

# A `train_step` on the object, as this package's own and other people's code sets it, is kept.
calls = []
step = model.train_step
def mine(*args):
    calls.append(1)
    return step(*args)
model.train_step = mine
model.train_function = None
enter(model, a)
assert model.train_step is mine and traces() == NEW and calls
leave(model, a)
assert model.train_step is mine
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_stands_in_and_steps_back(backend):
    run_on_backend(backend, CODE)


def test_why_a_forced_train_function_is_not_enough_on_jax():
    """If this fails, Keras or JAX has changed for the better: see `keras_compat.train_function`."""
    run_on_backend(
        "jax",
        f"""
        import sys
        sys.path.insert(0, {str(HERE)!r})
        import keras
        import decayed_model as stock
        model = stock.model(keras.optimizers.SGD(0.1, weight_decay=1.0), stock.no_gradient)
        stock.fit(model, 1)
        held = model.train_function
        model.make_train_function(force=True)
        model.optimizer.weight_decay = 0.0
        before = model.get_weights()
        stock.fit(model, 1)
        assert stock.far(model.get_weights(), [w * 0.9 for w in before]) < 1e-6
        """,
    )
