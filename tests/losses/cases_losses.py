"""Losses on one backend."""

from __future__ import annotations

import cases_jacobian
import keras
import numpy as np
import small_programs
from keras import ops

from grokkeras import losses
from grokkeras.errors import UserError

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(0)
LOGITS = (RNG.standard_normal((6, 5)) * 4).astype("float32")
LABELS = np.array([0, 4, 2, 2, 1, 3], "int32")


def main():
    return {
        "names": lambda: sorted(losses.LOSSES.names()),
        "values": values,
        "gradients": gradients,
        "smoothed": smoothed,
        "collapse": collapse,
        "stablemax": stablemax,
        "extreme": extreme,
        "reductions": reductions,
        "dtypes": dtypes,
        "compiled": compiled,
        "serialised": serialised,
        "config": config,
        "refusals": refusals,
        "twenty_steps": twenty_steps,
        "collapse_is_of_the_softmax": collapse_is_of_the_softmax,
        **cases_jacobian.main(),
        # Last, since it turns on JAX's 64-bit mode.
        "float64": float64,
    }


def each(name, logits, labels, dtype="float32"):
    loss = losses.LOSSES.get(name)(dtype=dtype)
    return ops.convert_to_numpy(
        loss.call(ops.convert_to_tensor(labels), ops.convert_to_tensor(logits))
    )


def values():
    found = {}
    for name in losses.LOSSES.names():
        flat, column = each(name, LOGITS, LABELS), each(name, LOGITS, LABELS[:, None])
        loss = losses.LOSSES.get(name)()
        found[name] = {
            "each": flat.tolist(),
            "column": column.tolist(),
            "mean": float(loss(LABELS, LOGITS)),
            "mean_column": float(loss(LABELS[:, None], LOGITS)),
            "int64": each(name, LOGITS, LABELS.astype("int64")).tolist(),
        }
    return found


def gradient(loss, logits):
    """Of the mean loss with respect to the logits."""
    if BACKEND == "jax":
        import jax

        return np.asarray(
            jax.grad(lambda z: loss(LABELS[: len(logits)], z))(jax.numpy.asarray(logits))
        )
    if BACKEND == "tensorflow":
        import tensorflow as tf

        z = tf.constant(logits)
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(LABELS[: len(logits)], z)
        return tape.gradient(value, z).numpy()
    z = ops.convert_to_tensor(logits).requires_grad_()
    loss(LABELS[: len(logits)], z).backward()
    return ops.convert_to_numpy(z.grad)


def gradients():
    return {n: gradient(losses.LOSSES.get(n)(), LOGITS).tolist() for n in losses.LOSSES.names()}


def smoothed():
    loss = losses.SoftmaxCrossentropy(label_smoothing=0.2)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    values = loss.call(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(LOGITS))
    return {
        "each": ops.convert_to_numpy(values).tolist(),
        "gradient": gradient(loss, LOGITS).tolist(),
        "again": float(again(LABELS, LOGITS)) == float(loss(LABELS, LOGITS)),
        "keras": float(
            keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)(
                np.eye(5, dtype="float32")[LABELS], LOGITS
            )
        ),
        "mean": float(loss(LABELS, LOGITS)),
    }


def stablemax():
    """Where s has its corner, and answers so far ahead that a softmax would have collapsed."""
    loss = losses.StableMaxCrossentropy()
    zero = np.zeros((6, 5), "float32")
    # Beside 1 - 1e-6 float32 has no room for what is missing.
    far = (np.eye(5, dtype="float32")[LABELS] * 2 - 1) * 1e6
    return {
        "zero": each("stablemax", zero, LABELS).tolist(),
        "zero_gradient": gradient(loss, zero).tolist(),
        "one_gradient": gradient(loss, zero + 1).tolist(),
        "far": each("stablemax", far, LABELS).tolist(),
        "far_gradient": gradient(loss, far).astype("float64").tolist(),
    }


def collapse():
    """Answers ahead of the others by 100 and, before float32 rounds, by 15."""
    far, near = (np.eye(5, dtype="float32")[LABELS] * ahead for ahead in (100, 15))
    loss = losses.SoftmaxCrossentropy()
    return {
        "far": each("cross_entropy", far, LABELS).tolist(),
        "far_gradient": float(abs(gradient(loss, far)).max()),
        "near": each("cross_entropy", near, LABELS).tolist(),
        "near_gradient": float(abs(gradient(loss, near)).max()),
    }


def extreme():
    """Logits past the range of exp, and answers that are far behind."""
    huge = np.array([[1e4, 0, -1e4, 5e3, 1], [-3e4, 3e4, 0, 0, 0]], "float32")
    value = each("cross_entropy", huge, np.array([0, 0], "int32"))
    finite = np.isfinite(gradient(losses.SoftmaxCrossentropy(), huge)).all()
    broken = np.array([[np.nan, 0, 1, 2, 3]], "float32")
    return {
        "values": value.tolist(),
        "finite_gradient": bool(finite),
        "nan": bool(np.isnan(each("cross_entropy", broken, LABELS[:1]))[0]),
    }


def reductions():
    weights = np.array([1, 0, 2, 0.5, 1, 1], "float32")
    loss = losses.SoftmaxCrossentropy(reduction="sum")
    none = losses.SoftmaxCrossentropy(reduction=None)
    mean = losses.SoftmaxCrossentropy()
    return {
        "sum": float(loss(LABELS, LOGITS)),
        "none": ops.convert_to_numpy(none(LABELS, LOGITS)).tolist(),
        "weighted": float(mean(LABELS, LOGITS, sample_weight=weights)),
        "weights": weights.tolist(),
        "shared": float(
            losses.SoftmaxCrossentropy(reduction="mean_with_sample_weight")(
                LABELS, LOGITS, sample_weight=weights
            )
        ),
    }


def dtypes():
    """Half-precision logits are compared in float32."""
    found = {}
    for name in losses.LOSSES.names():
        logits = ops.cast(LOGITS, "bfloat16")
        value = losses.LOSSES.get(name)().call(ops.convert_to_tensor(LABELS), logits)
        rounded = ops.convert_to_numpy(ops.cast(logits, "float32"))
        found[name] = {
            "dtype": keras.backend.standardize_dtype(value.dtype),
            "each": ops.convert_to_numpy(value).tolist(),
            "expected": each(name, rounded, LABELS).tolist(),
        }
    return found


def compiled():
    """Stock `fit` and `evaluate`, labels (batch,) and (batch, 1), beside Keras' own loss."""
    x = RNG.standard_normal((40, 3)).astype("float32")
    y = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)
    found = {}
    for name in losses.LOSSES.names():
        for shape in ("flat", "column"):
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
            model.set_weights([np.eye(3) / 2, np.zeros(3)])
            model.compile(
                keras.optimizers.Adam(0.05), loss=losses.LOSSES.get(name)(), metrics=["accuracy"]
            )
            labels = y if shape == "flat" else y[:, None]
            before = model.evaluate(x, labels, batch_size=16, verbose=0)[0]
            history = model.fit(x, labels, batch_size=20, epochs=10, verbose=0).history
            found[f"{name} {shape}"] = {
                "before": before,
                "expected": float(each(name, x / 2, y).mean()),
                "first": history["loss"][0],
                "last": history["loss"][-1],
                "accuracy": history["accuracy"][-1],
            }
    return found


def serialised():
    found = {}
    for name in losses.LOSSES.names():
        loss = losses.LOSSES.get(name)(reduction="sum", name="mine")
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        found[name] = {
            "class": type(again) is type(loss),
            "config": again.get_config() == loss.get_config(),
            "name": again.name,
            "value": [float(loss(LABELS, LOGITS)), float(again(LABELS, LOGITS))],
        }
    return found


def config():
    """What a configuration's loss section gives."""
    return {
        name: type(losses.make_loss(small_programs.config(loss={"name": name}).loss))
        is losses.LOSSES.get(name)
        for name in losses.LOSSES.names()
    }


def refusals():
    said = {}
    for share in (-0.1, 1.0):
        try:
            losses.SoftmaxCrossentropy(label_smoothing=share)
        except UserError as error:
            said[str(share)] = str(error)
    return said


def twenty_steps():
    """The training losses of each kind, from the same weights on every backend."""
    return {
        name: small_programs.program(loss=loss).run(20).tolist()
        for name, loss in {
            "stablemax": {"name": "stablemax"},
            "smoothed": {"name": "cross_entropy", "label_smoothing": 0.1},
            "mse": {"name": "mse"},
        }.items()
    }


def collapse_is_of_the_softmax():
    """What an evaluation says of a network trained with StableMax, its logits being far apart."""
    found = {}
    for name in ("stablemax", "cross_entropy"):
        program = small_programs.program(loss={"name": name})
        head = next(w for w in program.model.trainable_variables if w.path == "head/kernel")
        head.assign(head.value * 1e4)
        program.from_model()
        task_x, task_y = program.recipe.x, program.recipe.y
        found[name] = program.evaluate("train", task_x, task_y)
    return found


def float64():
    if BACKEND == "jax":
        import jax

        refused = False
        try:
            losses.SoftmaxCrossentropy(dtype="float64")
        except UserError:
            refused = True
        assert refused
        jax.config.update("jax_enable_x64", True)
    wide = LOGITS.astype("float64") + 1e-10 * RNG.standard_normal(LOGITS.shape)
    near = np.eye(5, dtype="float32")[LABELS] * 25
    found = {"logits": wide.tolist()}
    for name in losses.LOSSES.names():
        value = each(name, wide, LABELS, "float64")
        found[name] = {"dtype": str(value.dtype), "each": value.tolist()}
    loss = losses.SoftmaxCrossentropy(dtype="float64")
    found["near"] = each("cross_entropy", near, LABELS, "float64").tolist()
    found["near_gradient"] = gradient(loss, near).astype("float64").tolist()
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    found["serialised"] = str(
        again.call(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(near)).dtype
    )
    return found
