"""What the transforms count on inside Keras. One fails when Keras changes it: see keras_compat."""

from __future__ import annotations

import pytest
from helpers import BACKENDS, run_on_backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_optimizer_wrapper_uses(backend):
    code = """
        import inspect
        import keras
        import numpy as np
        from keras import ops
        from keras.src.optimizers.base_optimizer import BaseOptimizer
        from grokkeras.keras_compat.wrapper import OptimizerWrapper, batches_seen

        # The constructor sets these two, which are properties of ours, before the inner is there.
        constructor = inspect.getsource(BaseOptimizer.__init__)
        assert "self.weight_decay = weight_decay" in constructor
        assert "self.loss_scale_factor = loss_scale_factor" in constructor

        inner = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
        weights = [keras.Variable(np.ones(3, "float32"), name=name) for name in "ab"]
        inner.build(weights)
        wrapper = OptimizerWrapper(inner, "wrapper")
        wrapper.build(weights)
        assert wrapper.known(None) == weights
        assert wrapper.of(["A", "B"], weights[::-1]) == ["B", "A"]
        other = keras.Variable(np.ones(3, "float32"), name="c")
        try:
            wrapper.known([other])
        except ValueError as error:
            assert "Unknown variable" in str(error)
        else:
            raise AssertionError("an unknown variable was taken")
        scale = keras.Variable(np.ones(3, "float32"), name="scale")
        assert wrapper.trains(scale)
        scale.overwrite_with_gradient = True
        assert not wrapper.trains(scale)

        # Batches and updates are counted apart.
        for _ in range(3):
            inner.apply([ops.ones(3), ops.ones(3)], weights)
        assert int(ops.convert_to_numpy(batches_seen(inner))) == 3
        assert int(ops.convert_to_numpy(inner.iterations)) == 1
    """
    run_on_backend(backend, code)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_ruled_muon_overrides(backend):
    """Keras asks `_should_use_adamw` for slots and decays in `_apply_weight_decay`."""
    code = """
        import keras
        import numpy as np
        from keras import ops
        from grokkeras.keras_compat.muon_rules import RuledMuon, keras_uses_adamw

        class Second(RuledMuon):
            def by_adamw(self, index):
                return index == 1

        def weights():
            return [keras.Variable(np.ones((2, 2), "float32"), name=name) for name in "ab"]

        zeros = [ops.zeros((2, 2))] * 2
        decays = {"weight_decay": 0.5, "adam_weight_decay": 0.25, "adam_lr_ratio": 0.1}
        ours = weights()
        optimizer = Second(0.2, **decays)
        optimizer.apply(zeros, ours)
        assert [v is not None for v in optimizer.adam_velocities] == [False, True]
        values = [float(ops.convert_to_numpy(w)[0, 0]) for w in ours]
        np.testing.assert_allclose(values, [1 - 0.2 * 0.5, 1 - 0.02 * 0.25], rtol=1e-6)

        # Keras multiplies both decays by Muon's learning rate.
        theirs = weights()
        stock = keras.optimizers.Muon(0.2, exclude_layers=["b"], **decays)
        stock.apply(zeros, theirs)
        assert [keras_uses_adamw(stock, w) for w in theirs] == [False, True]
        values = [float(ops.convert_to_numpy(w)[0, 0]) for w in theirs]
        np.testing.assert_allclose(values, [1 - 0.2 * 0.5, 1 - 0.2 * 0.25], rtol=1e-6)
    """
    run_on_backend(backend, code)


def test_sparse_gradients_of_tensorflow():
    """Rows that occur twice count as their sum, as on JAX and PyTorch; plain Adam squares each."""
    code = """
        import keras
        import numpy as np
        from grokkeras.optimizers.muon import Muon
        from grokkeras.optimizers.transforms import ClipGlobalNorm

        def moment(optimizer):
            tokens = keras.Input((4,), dtype="int32")
            model = keras.Model(tokens, keras.layers.Embedding(3, 1)(tokens))
            model.set_weights([np.ones((3, 1))])
            model.compile(optimizer=optimizer, loss="mse")
            x = np.array([[0, 0, 0, 1]], "int32")
            model.fit(x, np.zeros((1, 4, 1)), verbose=0)
            adam = getattr(optimizer, "inner_optimizer", optimizer)
            return adam._velocities[0].numpy().ravel()

        adam = keras.optimizers.Adam(0.0)
        wrapped = moment(ClipGlobalNorm(keras.optimizers.Adam(0.0), 1e6))
        # Each element's gradient is 2*1/4; the second moment 0.001 times the square of their sum.
        np.testing.assert_allclose(wrapped, [0.001 * 1.5**2, 0.001 * 0.5**2, 0], rtol=1e-5)
        np.testing.assert_allclose(moment(adam), [0.001 * 3 * 0.5**2, 0.001 * 0.5**2, 0], rtol=1e-5)
    """
    run_on_backend("tensorflow", code)


@pytest.mark.slow
def test_configuration_written_on_pytorch_loads_elsewhere(tmp_path):
    """PyTorch serialises its own AdamW, in a module that only it can import."""
    path = str(tmp_path / "config.json")
    write = f"""
        import json
        import keras
        from grokkeras.optimizers.transforms import Grokfast, OrthoGrad
        optimizer = Grokfast(OrthoGrad(keras.optimizers.AdamW(0.5, weight_decay=0.25)), lamb=3.0)
        json.dump(keras.saving.serialize_keras_object(optimizer), open({path!r}, "w"))
    """
    read = f"""
        import json
        import keras
        from grokkeras.optimizers.transforms import Grokfast, OrthoGrad
        optimizer = keras.saving.deserialize_keras_object(json.load(open({path!r})))
        assert isinstance(optimizer, Grokfast) and optimizer.lamb == 3.0
        assert isinstance(optimizer.inner_optimizer, OrthoGrad)
        base = optimizer.base_optimizer()
        assert isinstance(base, keras.optimizers.AdamW) and base.weight_decay == 0.25
        assert "torch" not in type(base).__module__, type(base)
    """
    run_on_backend("torch", write)
    run_on_backend("jax", read)
    run_on_backend("tensorflow", read)
