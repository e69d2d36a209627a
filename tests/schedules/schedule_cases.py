"""Every schedule, by its registered name: one example, its values, and arguments it refuses.

A schedule that is registered and not listed here fails the contract test.
"""

from __future__ import annotations

import math

from grokkeras.schedules import make_schedule

NAN, INF = math.nan, math.inf

# name -> (configuration, {step: value})
EXAMPLES = {
    "constant": ({"value": 0.3}, {0: 0.3, 7: 0.3, 10**7: 0.3}),
    "linear": (
        {"start": 1.0, "end": 0.2, "steps": 10},
        {-3: 1.0, 0: 1.0, 1: 0.92, 5: 0.6, 9: 0.28, 10: 0.2, 11: 0.2, 10**7: 0.2},
    ),
    "cosine": (
        {"start": 1.0, "end": 0.1, "steps": 5000},
        {
            0: 1.0,
            1250: 0.55 + 0.45 * math.sqrt(0.5),
            2500: 0.55,
            3750: 0.55 - 0.45 * math.sqrt(0.5),
            5000: 0.1,
            9999: 0.1,
        },
    ),
    "exponential": (
        {"start": 8.0, "end": 0.5, "steps": 4},
        {0: 8.0, 1: 4.0, 2: 2.0, 3: 1.0, 4: 0.5, 5: 0.5},
    ),
    "step": (
        {"start": 1.0, "factor": 0.5, "every": 3, "end": 0.2},
        {0: 1.0, 2: 1.0, 3: 0.5, 5: 0.5, 6: 0.25, 9: 0.2, 300: 0.2},
    ),
    "piecewise": (
        {
            "boundaries": [5, 10, 20],
            "values": [0.0, {"schedule": "linear", "start": 0.0, "end": 2.0, "steps": 5}, 2.0, 1.0],
        },
        {0: 0.0, 4: 0.0, 5: 0.0, 6: 0.4, 9: 1.6, 10: 2.0, 19: 2.0, 20: 1.0, 99: 1.0},
    ),
    "cyclic": (
        {"low": 0.5, "high": 2.5, "period": 8},
        {0: 0.5, 2: 1.5, 4: 2.5, 6: 1.5, 8: 0.5, 12: 2.5, 8004: 2.5},
    ),
    "warm_up": (
        {
            "steps": 4,
            "then": {"schedule": "linear", "start": 2.0, "end": 0.0, "steps": 4},
            "start": 1.0,
        },
        {0: 1.0, 1: 1.25, 2: 1.5, 4: 2.0, 5: 1.5, 6: 1.0, 8: 0.0, 9: 0.0},
    ),
    # With memorization confirmed at step 6.
    "on_event": (
        {
            "event": "memorization",
            "before": {"schedule": "linear", "start": 0.0, "end": 1.0, "steps": 10},
            "after": {"schedule": "warm_up", "steps": 4, "then": 8.0},
        },
        {0: 0.0, 3: 0.3, 5: 0.5, 6: 0.0, 7: 2.0, 8: 4.0, 10: 8.0, 99: 8.0},
    ),
    # With a norm of 5 and a learning rate of 0.02.
    "hold_norm": (
        {
            "target": {"schedule": "linear", "start": 4.0, "end": 6.0, "steps": 10},
            "horizon": 10.0,
        },
        {0: 0.2 / 0.2, 5: 0.0, 10: 0.0},
    ),
    "with_learning_rate": (
        {"base": {"schedule": "linear", "start": 1.0, "end": 0.0, "steps": 10}, "reference": 0.01},
        {0: 2.0, 5: 1.0, 10: 0.0},
    ),
}

# What an example's value depends on besides the step.
OUTSIDE = {"events": {"memorization": 6.0}, "learning_rate": 0.02, "weight_norm": 5.0}

# (name, arguments that replace the example's, words of the message)
REFUSED = [
    ("constant", {"value": "a"}, ("Constant", "value is a finite number", "received 'a'")),
    ("constant", {"value": NAN}, ("finite",)),
    ("constant", {"value": True}, ("received True",)),
    ("linear", {"start": INF}, ("start is a finite number",)),
    ("linear", {"steps": 0}, ("steps is a whole number, 1 or more", "received 0")),
    ("linear", {"steps": 2.5}, ("whole number",)),
    ("linear", {"start": None, "steps": -1}, ("start is", "steps is")),
    ("cosine", {"end": [1.0]}, ("end is a finite number",)),
    ("exponential", {"start": 0.0}, ("start is a finite number above 0",)),
    ("exponential", {"end": -1.0}, ("end is a finite number above 0",)),
    ("step", {"factor": 0.0}, ("factor is a finite number above 0",)),
    ("step", {"factor": 2.0, "end": None}, ("grows without end",)),
    ("step", {"end": 3.0}, ("other side",)),
    ("step", {"end": "x"}, ("end is a finite number, 0 or more, or None",)),
    ("piecewise", {"boundaries": [5, 5, 9]}, ("boundaries rise",)),
    ("piecewise", {"boundaries": [0, 5, 9]}, ("each a whole number, 1 or more",)),
    ("piecewise", {"values": [1.0, 2.0]}, ("one more than boundaries, 4", "received 2")),
    ("piecewise", {"values": "1234"}, ("a list of 2 or more",)),
    ("piecewise", {"values": [1, 2, 3, "x"]}, ("each a finite number, or a schedule",)),
    ("cyclic", {"period": 1}, ("2 or more",)),
    ("cyclic", {"shape": "square"}, ("one of cosine, triangle", "'square'")),
    ("warm_up", {"then": "cosine"}, ("then is a finite number, or a schedule",)),
    ("warm_up", {"then": {"schedule": "cosin"}}, ("Did you mean 'cosine'?",)),
    ("on_event", {"event": "memorisation"}, ("one of memorization, plateau, grokking",)),
    ("on_event", {"after": {"schedule": "linear"}}, ("lacks start, end, steps",)),
    ("hold_norm", {"target": -1.0}, ("target is a finite number, 0 or more",)),
    (
        "hold_norm",
        {"target": {"schedule": "linear", "start": 1.0, "end": -1.0, "steps": 5}},
        ("a schedule that stays at 0 or more",),
    ),
    ("hold_norm", {"horizon": 0.5}, ("1 or more",)),
    ("with_learning_rate", {"reference": 0.0}, ("reference is a finite number above 0",)),
    ("with_learning_rate", {"power": "x"}, ("power is a finite number",)),
]


class Context:
    """What a feedback schedule looks at, as float32 tensors of the backend."""

    def __init__(self):
        from keras import ops

        self.learning_rate = ops.cast(OUTSIDE["learning_rate"], "float32")
        self.weight_norm = ops.cast(OUTSIDE["weight_norm"], "float32")


def example(name):
    """The schedule of an example."""
    return make_schedule({"schedule": name, **EXAMPLES[name][0]})
