"""What is saved while a weight decay schedule is at work is a stock model."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BACKENDS, run_on_backend

HERE = Path(__file__).parent

TRAINS = """
import sys
sys.path.insert(0, {here!r})
import json, warnings
import keras, numpy as np
from decayed_model import RATE, fit, make_optimizer, model
from grokkeras import schedules
from grokkeras.callbacks.weight_decay import WeightDecayScheduler

def scheduler():
    # An event, so that the step reads a variable of ours.
    return WeightDecayScheduler(schedules.OnEvent("memorization", 0.5, 3.0),
                                events={{"memorization": 4}})

def checkpoint(path, **arguments):
    return keras.callbacks.ModelCheckpoint(path, **arguments)

folder = {folder!r}
for name, optimizer in (
    ("adamw", keras.optimizers.AdamW(RATE, weight_decay=0.25)),
    ("muon", keras.optimizers.Muon(RATE, weight_decay=0.25, adam_weight_decay=0.125)),
    ("scaled", make_optimizer("LossScaleOptimizer(AdamW)", 0.25)),
    ("multi", make_optimizer("MultiOptimizer(AdamW, SGD)", 0.25)),
):
    built = model(optimizer)
    variables = []
    saves = [checkpoint(f"{{folder}}/{{name}}-{{{{epoch}}}}.keras")]
    saves.append(checkpoint(f"{{folder}}/{{name}}.weights.h5", save_weights_only=True))
    fit(built, 6, [scheduler(), *saves])
    np.savez(f"{{folder}}/{{name}}.npz", *built.get_weights(),
             *[keras.ops.convert_to_numpy(v) for v in built.optimizer.variables])

# Loaded and trained on by the same schedule, it ends where the run that was not stopped ended.
warnings.simplefilter("error", UserWarning)
half = keras.saving.load_model(f"{{folder}}/adamw-3.keras")
fit(half, 3, [scheduler()])
whole = np.load(f"{{folder}}/adamw.npz")
for place, weight in enumerate(half.get_weights()):
    assert np.allclose(weight, whole[f"arr_{{place}}"], atol=1e-6), place

# Weights, with the optimizer's, are loaded while the schedule is at work, whoever comes first.
class Load(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.model.load_weights(f"{{folder}}/adamw.weights.h5")
        self.loaded = int(self.model.optimizer.iterations)

for order in (lambda load: [scheduler(), load], lambda load: [load, scheduler()]):
    again, load = model(keras.optimizers.AdamW(RATE, weight_decay=0.25)), Load()
    again.optimizer.build(again.trainable_variables)
    fit(again, 1, order(load))
    assert load.loaded == 6 and int(again.optimizer.iterations) == 7

# BackupAndRestore: cut after three epochs, gone on with.
class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt

def back_up():
    return keras.callbacks.BackupAndRestore(f"{{folder}}/backup")

cut = model(keras.optimizers.AdamW(RATE, weight_decay=0.25))
try:
    fit(cut, 6, [scheduler(), back_up(), Cut()])
except KeyboardInterrupt:
    pass
resumed = model(keras.optimizers.AdamW(RATE, weight_decay=0.25))
fit(resumed, 6, [scheduler(), back_up()])
assert int(resumed.optimizer.iterations) == 6
for place, weight in enumerate(resumed.get_weights()):
    assert np.allclose(weight, whole[f"arr_{{place}}"], atol=1e-6), place
"""

# In a process that has never heard of this package.
LOADS = """
import sys, warnings
warnings.simplefilter("error", UserWarning)
import keras, numpy as np

for name, kind in (("adamw", "AdamW"), ("muon", "Muon"), ("scaled", "LossScaleOptimizer"),
                   ("multi", "MultiOptimizer")):
    loaded = keras.saving.load_model(f"{folder}/{{name}}-6.keras")
    optimizer = loaded.optimizer
    assert type(optimizer).__name__ == kind, type(optimizer)
    assert type(optimizer).__module__.startswith("keras."), type(optimizer)
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    for part in getattr(optimizer, "optimizers", [inner]):
        assert type(part.weight_decay) is float and part.weight_decay == 0.25, part.weight_decay
        if kind == "Muon":
            assert part.adam_weight_decay == 0.125
    # Every variable of the optimizer is there, and as it was.
    saved = np.load(f"{folder}/{{name}}.npz")
    values = loaded.get_weights() + [keras.ops.convert_to_numpy(v) for v in optimizer.variables]
    assert len(saved.files) == len(values), (name, len(saved.files), len(values))
    for key, value in zip(saved.files, values):
        assert np.array_equal(saved[key], value), (name, key)
    loaded.fit(np.zeros((8, 4)), np.zeros((8, 2)), verbose=0)
    loaded.load_weights(f"{folder}/{{name}}.weights.h5")
assert not any(name.startswith("grokkeras") for name in sys.modules)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_saved_is_a_stock_model(backend, tmp_path):
    run_on_backend(backend, TRAINS.format(here=str(HERE), folder=str(tmp_path)))
    run_on_backend(backend, LOADS.format(folder=str(tmp_path)))
