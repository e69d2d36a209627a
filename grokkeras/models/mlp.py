"""The multilayer perceptron of the grokking literature, on tokens or on features.

Covers the networks of Liu et al. 2022 (2210.01117), Gromov 2023 (2301.02679, quadratic, two
one-hots) and Prieto et al. 2025 (2501.04697). The first layer on one-hot inputs is a lookup in its
kernel, so it is computed as one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from grokkeras.errors import UserError
from grokkeras.keras_compat.float64 import keep_float64
from grokkeras.models.activations import get_activation
from grokkeras.models.attention import projection
from grokkeras.models.initial import InitialWeights, mask_seed
from grokkeras.models.precision import dtype_policy
from grokkeras.models.token_inputs import Embeddings, OneHotDense
from grokkeras.models.token_table import check_token_ranges, poison, table_index

ENCODINGS = ("one_hot", "embedding", "signed", "none")


@keras.saving.register_keras_serializable(package="grokkeras")
class MLP(keras.Model):
    """Multilayer perceptron with a linear head.

    Args:
        length: tokens, or features, an example.
        num_classes: answers.
        vocab_size: number of tokens; None for features.
        token_ranges: a position each, (first token, number of tokens) that may stand there; None:
            the whole vocabulary everywhere. Positions with one possible token (the "=") carry
            nothing and are skipped. A token outside its range gives logits of NaN.
        num_layers: hidden dense layers.
        width: channels of a hidden layer.
        encoding: how tokens become numbers: `one_hot` (concatenated), `embedding`, `signed` (tokens
            first and first + 1 become -1 and 1), `none` (the inputs are features already).
        embedding_width: channels of an embedding.
        shared_embedding: one embedding for all positions, or one each.
        combine: `concat` the embeddings; or `sum` them, then the sum is itself a hidden layer and
            passes through the activation.
        residual: add a hidden layer's input to its output where their widths agree.
        activation: a name from `activations.ACTIVATIONS`.
        use_bias: biases in the hidden layers and the head.
        dropout: share of hidden channels dropped in training.
        init_scale: factor on all initial weight matrices and embeddings.
        init_stddev: their standard deviation; None means 1 / sqrt(fan in), for embeddings 1.
        init: how matrices are drawn, a name from `grokkeras.initializers.INITS`.
        init_connections: nonzero weights into each unit for `init` sparse; None means 15.
        seed: seed of the initial weights (the same on every backend) and of the dropout masks.

    Call arguments:
        tokens: (batch, length), int32 tokens or float32 features.

    Returns:
        Logits (batch, num_classes).
    """

    def __init__(
        self,
        length: int,
        num_classes: int,
        vocab_size: int | None = None,
        token_ranges: Sequence[Sequence[int]] | None = None,
        num_layers: int = 1,
        width: int = 256,
        encoding: str = "one_hot",
        embedding_width: int = 128,
        shared_embedding: bool = True,
        combine: str = "concat",
        residual: bool = False,
        activation: str = "relu",
        use_bias: bool = True,
        dropout: float = 0.0,
        init_scale: float = 1.0,
        init_stddev: float | None = None,
        init: str = "normal",
        init_connections: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep_float64(self.compute_dtype)
        if encoding not in ENCODINGS or combine not in ("concat", "sum"):
            raise UserError(
                f"encoding must be one of {', '.join(ENCODINGS)} and combine concat or sum. "
                f"Received {encoding!r} and {combine!r}."
            )
        if encoding != "none" and vocab_size is None:
            raise UserError(
                f"encoding {encoding!r} needs tokens, so vocab_size must be given. "
                f"For features use encoding 'none'."
            )
        ranges = [] if vocab_size is None else check_token_ranges(token_ranges, vocab_size, length)
        self._options: dict[str, Any] = {
            "length": length,
            "num_classes": num_classes,
            "vocab_size": vocab_size,
            "token_ranges": [list(pair) for pair in ranges] or None,
            "num_layers": num_layers,
            "width": width,
            "encoding": encoding,
            "embedding_width": embedding_width,
            "shared_embedding": shared_embedding,
            "combine": combine,
            "residual": residual,
            "activation": activation,
            "use_bias": use_bias,
            "dropout": dropout,
            "init_scale": init_scale,
            "init_stddev": init_stddev,
            "init": init,
            "init_connections": init_connections,
            "seed": seed,
        }
        self.encoding = encoding
        self.ranges = ranges
        self.spoken = [place for place, (_, count) in enumerate(ranges) if count > 1]
        self.residual = residual
        self.activation = get_activation(activation)
        self.sum_is_hidden = encoding == "embedding" and combine == "sum"
        # A loaded model is built anew: its layers too take the precision it was saved with.
        with dtype_policy(self.dtype_policy):
            self._make_layers(**self._options)
        self.built = True

    def _make_layers(
        self, *, num_layers: int, width: int, use_bias: bool, dropout: float, **options: Any
    ) -> None:
        initial = InitialWeights(
            options["seed"],
            options["init_stddev"],
            options["init_scale"],
            options["init"],
            options["init_connections"],
        )
        counts = [self.ranges[place][1] for place in self.spoken]
        self.starts = self._first_rows(options["shared_embedding"])
        self.encode: Any = None
        inputs = options["length"]
        if self.encoding == "embedding":
            self.encode = Embeddings(
                options["embedding_width"],
                [options["vocab_size"]] if options["shared_embedding"] else counts,
                options["combine"],
                initial,
                name="embeddings",
            )
            inputs = options["embedding_width"] * (1 if self.sum_is_hidden else len(counts))
        elif self.encoding == "signed":
            if any(count != 2 for count in counts):
                raise UserError(
                    f"encoding 'signed' needs two tokens a position. Received {counts}."
                )
            inputs = len(counts)
        layers: list[Any] = []
        units = [width] * num_layers + [options["num_classes"]]
        names = [f"hidden_{place}" for place in range(num_layers)] + ["head"]
        for place, (out, name) in enumerate(zip(units, names, strict=True)):
            if self.encoding == "one_hot" and place == 0:
                layers.append(OneHotDense(out, sum(counts), use_bias, initial, name=name))
            else:
                layers.append(projection(inputs, out, use_bias, initial, name))
            inputs = out
        self.hidden, self.head = layers[:-1], layers[-1]
        self.dropouts = [
            keras.layers.Dropout(dropout, seed=mask_seed(options["seed"], place + 1))
            for place in range((num_layers + self.sum_is_hidden) if dropout else 0)
        ]

    def _first_rows(self, shared: bool) -> list[int]:
        """Each position's first row in the table that its encoding looks it up in."""
        if self.encoding == "one_hot":
            counts = [count if count > 1 else 0 for _, count in self.ranges]
            return [0, *itertools.accumulate(counts)][:-1]
        if self.encoding == "embedding" and shared:
            return [first for first, _ in self.ranges]
        return [0] * len(self.ranges)

    def call(self, tokens: Any, training: bool = False) -> Any:
        if self.encoding == "none":
            return self._layers_of(
                ops.cast(tokens, self.compute_dtype), list(self.dropouts), training
            )
        index, valid = table_index(tokens, self.ranges, self.starts)
        x: Any = [index[place] for place in self.spoken]
        dropouts = list(self.dropouts)
        if self.encoding == "signed":
            x = ops.cast(ops.stack(x, axis=1) * 2 - 1, self.compute_dtype)
        elif self.encoding == "embedding":
            x = self.encode.call(x)
            if self.sum_is_hidden:
                x = self._activate(x, dropouts, training)
        return poison(self._layers_of(x, dropouts, training), valid)

    def embed(self, tokens: Any) -> Any:
        """What the first layer reads, as floats (batch, channels): one-hots, embeddings, ..."""
        if self.encoding == "none":
            return ops.cast(tokens, self.compute_dtype)
        index, _ = table_index(tokens, self.ranges, self.starts)
        spoken: list[Any] = [index[place] for place in self.spoken]
        if self.encoding == "signed":
            return ops.cast(ops.stack(spoken, axis=1) * 2 - 1, self.compute_dtype)
        if self.encoding == "embedding":
            return self.encode.call(spoken)
        rows = sum(self.ranges[place][1] for place in self.spoken)
        return sum(ops.one_hot(place, rows, dtype=self.compute_dtype) for place in spoken)

    def call_embedded(
        self, embedded: Any, training: bool = False, hidden: list[Any] | None = None
    ) -> Any:
        """The logits of what `embed` gave: to differentiate by an example's own inputs.

        Args:
            embedded: what `embed` gave.
            training: whether dropout is on.
            hidden: gets what each hidden layer's activation gives, (batch, width) each.
        """
        dropouts = list(self.dropouts)
        x = self._activate(embedded, dropouts, training) if self.sum_is_hidden else embedded
        return self._layers_of(x, dropouts, training, hidden)

    def _layers_of(
        self, x: Any, dropouts: list[Any], training: bool, hidden: list[Any] | None = None
    ) -> Any:
        for layer in self.hidden:
            out = self._activate(layer.call(x), dropouts, training)
            if hidden is not None:
                hidden.append(out)
            alike = not isinstance(layer, OneHotDense) and x.shape[-1] == out.shape[-1]
            x = x + out if self.residual and alike else out
        return self.head.call(x)

    def _activate(self, x: Any, dropouts: list[Any], training: bool) -> Any:
        x = self.activation(x)
        return dropouts.pop(0).call(x, training=training) if dropouts else x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._options}
