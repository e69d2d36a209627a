"""The window of Grokfast MA: its sum does not drift, and a step does not copy it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers import run_on_backend

WINDOW = 10
STEPS = 400


# Run here and on the backend: gradients fall by eight orders of magnitude, as after memorization.
SIGNALS = f"""
import numpy as np
rng = np.random.default_rng(0)
sizes = np.where(np.arange({STEPS}) < 50, 1e3, 1e-5)
signals = (rng.normal(size=({STEPS}, 16)) * sizes[:, None]).astype("float32")
"""


def signals():
    made = {}
    exec(SIGNALS, made)
    return made["signals"]


CODE = """
import json
import keras
import numpy as np
from keras import ops
from grokkeras.optimizers.transforms import GrokfastMA

optimizer = GrokfastMA(keras.optimizers.SGD(1.0), window=WINDOW, lamb=float(WINDOW))
weight = keras.Variable(np.zeros(16, "float32"), name="w")
optimizer.build([weight])
if keras.backend.backend() == "jax":
    import jax
    compiled = jax.jit(optimizer.stateless_apply)
    def step(g):
        (w,), state = compiled([v.value for v in optimizer.variables], [g], [weight.value])
        weight.assign(w)
        for v, value in zip(optimizer.variables, state):
            v.assign(value)
elif keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    step = tf.function(lambda g: optimizer.apply([g], [weight]), jit_compile=JIT)
else:
    step = lambda g: optimizer.apply([g], [weight])
sums = []
for signal in signals:
    weight.assign(np.zeros(16, "float32"))
    step(ops.convert_to_tensor(signal))
    # The step is gradient + sum of the window.
    sums.append((-ops.convert_to_numpy(weight).astype("float64")).tolist())
print("RESULT" + json.dumps(sums))
"""


@pytest.mark.parametrize(
    ("backend", "jit"),
    [
        ("jax", True),
        ("tensorflow", True),
        pytest.param("tensorflow", False, marks=pytest.mark.slow),
        ("torch", False),
    ],
)
def test_sum_of_the_window_does_not_drift(backend, jit):
    given = signals()
    code = f"WINDOW = {WINDOW}\nJIT = {jit}\n{SIGNALS}\n{CODE}"
    got = np.array(json.loads(run_on_backend(backend, code).split("RESULT")[1]))
    exact = np.zeros_like(got)
    naive, running = np.zeros_like(got), np.zeros(16, "float32")
    for step in range(STEPS):
        window = given[max(0, step - WINDOW + 1) : step + 1].astype("float64")
        full = step >= WINDOW - 1
        exact[step] = given[step] + full * window.sum(axis=0)
        running = running + given[step]
        if step >= WINDOW:
            running = running - given[step - WINDOW]
        naive[step] = given[step] + full * running

    def worst(sums):
        late = slice(100, None)
        return np.max(np.abs(sums[late] - exact[late])) / 1e-5

    assert worst(naive) > 1  # What a plain running sum would have made of it.
    assert worst(got) < 1e-5
    np.testing.assert_allclose(got[:50], exact[:50], atol=1e-3)


def test_xla_updates_the_window_in_place():
    """A loop that reads a row before it writes one copies the whole window at every step."""
    code = """
        import jax
        import keras
        import numpy as np
        from grokkeras.optimizers.transforms import GrokfastMA

        optimizer = GrokfastMA(keras.optimizers.AdamW(), window=50)
        weight = keras.Variable(np.ones((70, 30), "float32"), name="w")
        optimizer.build([weight])

        def many(state, weights, count):
            def one(_, carried):
                state, weights = carried
                weights, state = optimizer.stateless_apply(state, [weights[0] * 2.0], weights)
                return list(state), list(weights)
            return jax.lax.fori_loop(0, count, one, (state, weights))

        state = [v.value for v in optimizer.variables]
        lowered = jax.jit(many, donate_argnums=(0, 1)).lower(state, [weight.value], 9)
        lines = lowered.compile().as_text().splitlines()
        assert any("f32[51,70,30]" in line and "dynamic-update-slice" in line for line in lines)
        copies = [line for line in lines if " copy(" in line and "f32[51,70,30]" in line]
        assert not copies, copies
    """
    run_on_backend("jax", code)


def test_counter_never_overflows():
    """It goes round above the window, whatever the number of steps."""
    code = """
        import keras
        import numpy as np
        from keras import ops
        from grokkeras.optimizers.transforms import GrokfastMA

        optimizer = GrokfastMA(keras.optimizers.SGD(0.1), window=3)
        weight = keras.Variable(np.ones(2, "float32"), name="w")
        seen = []
        for _ in range(12):
            optimizer.apply([ops.ones(2)], [weight])
            seen.append(int(optimizer.kept.seen.value))
        assert seen == [1, 2, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4], seen
    """
    run_on_backend("torch", code)
