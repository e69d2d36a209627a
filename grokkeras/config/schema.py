"""The whole configuration of a run, typed: `RunConfig` and its smaller sections.

The order of the fields is the order in which `dump_config` writes them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field

from grokkeras.config.base import (
    Count,
    NotNegative,
    Positive,
    Section,
    Steps,
    StepsOrZero,
)
from grokkeras.config.data_options import Curriculum
from grokkeras.config.loss_options import CrossEntropy, LossOptions
from grokkeras.config.measures import MeasureName
from grokkeras.config.model_options import ModelOptions
from grokkeras.config.optimizer_options import AdamW, OptimizerOptions
from grokkeras.config.schedule_options import ShareValue
from grokkeras.config.task_options import TaskOptions
from grokkeras.config.transfer_options import TransferOptions

Backend = Literal["tensorflow", "jax", "torch"]
FOLDER_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


class Dropout(Section):
    """Share of the units that a training step drops."""

    rate: ShareValue = 0.0


class Train(Section):
    """How long and in what portions to train. Durations are optimizer steps.

    Attributes:
        max_steps: the run ends here at the latest. Default 10,000.
        batch_size: examples a step, or `full` for the whole training split.
        stop_after_grokking: steps to go on after the grokking step; 0 stops when grokking is
            confirmed, null never.
        checkpoint_every: steps between checkpoints; null writes only the last one.
        evaluations_per_decade: evaluations from step s to step 10*s, evenly spaced in log step.
        dtype: of weights and arithmetic.
    """

    max_steps: Steps = 10_000
    batch_size: Literal["full"] | Count = "full"
    stop_after_grokking: StepsOrZero | None = None
    checkpoint_every: Steps | None = 500
    evaluations_per_decade: Annotated[int, Ge(1), Le(100_000)] = 100
    dtype: Literal["float32", "float64", "bfloat16", "mixed_bfloat16", "mixed_float16"] = "float32"


class DetectorOptions(Section):
    """When a run counts as memorised, grokked and collapsed.

    Attributes:
        metric: `accuracy` (thresholds are lower bounds) or `loss` (upper bounds).
        train_threshold: memorised from here on. Default 0.99.
        val_threshold: grokked from here on. Default 0.95.
        patience: evaluations for which a threshold must hold. Default 5.
        min_delay: steps from memorization to grokking that make it grokking and no
            comprehension. Default 1000.
        collapse_threshold: validation on the wrong side of this after grokking is a collapse.
            Default 0.8.
    """

    metric: Literal["accuracy", "loss"] = "accuracy"
    train_threshold: Positive = 0.99
    val_threshold: Positive = 0.95
    patience: Count = 5
    min_delay: StepsOrZero = 1000
    collapse_threshold: NotNegative = 0.8


def _default_measures() -> list[MeasureName]:
    return [
        "weight_norm",
        "logit_scale",
        "softmax_collapse",
        "generalization_gap",
        "embedding_ipr",
        "embedding_gini",
    ]


class Log(Section):
    """What is written down beside the metrics.

    Attributes:
        tensorboard: write event files.
        measures: computed at evaluations, one key a measure in metrics.jsonl; what a task or model
            does not have is left out. Default: the cheap ones.
        costly_per_decade: of the costly ones, of histograms and of images, evaluations a tenfold
            growth of the step. Default 5.
        histograms: write histograms of the weights into the event files.
        images: write pictures of the network into the event files: its embedding, attention,
            neurons and confusions.
        wandb: send the run to Weights & Biases; needs the extra `wandb`.
        mlflow: write the run to MLflow; needs the extra `mlflow`.
    """

    tensorboard: bool = True
    measures: list[MeasureName] = Field(default_factory=_default_measures)
    costly_per_decade: Annotated[int, Ge(1), Le(1000)] = 5
    histograms: bool = False
    images: bool = False
    wandb: bool = False
    mlflow: bool = False


class RunConfig(Section):
    """Everything that determines a run, every default filled in.

    Attributes:
        name: names the run folder.
        seed: draws the split, the initial weights and the order of batches.
        backend: the framework under Keras.
        curriculum: in which order batches meet easy and hard examples; null: in any.
        transfer: what to start from an earlier run with; null: nothing.
        recipe: where what this configuration leaves open comes from; null: the defaults.
    """

    name: Annotated[
        str,
        Field(
            pattern=FOLDER_NAME,
            description="a folder name: letters, digits, '.', '_' and '-', a letter or digit "
            "first, at most 100",
        ),
    ] = "run"
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] = 0
    backend: Backend = "tensorflow"
    recipe: Annotated[str | None, Field(description="the name of a recipe, or null")] = None
    task: TaskOptions
    curriculum: Curriculum | None = None
    model: ModelOptions
    transfer: TransferOptions | None = None
    optimizer: OptimizerOptions = Field(default_factory=lambda: AdamW(name="adamw"))
    loss: LossOptions = Field(default_factory=lambda: CrossEntropy(name="cross_entropy"))
    dropout: Dropout = Field(default_factory=Dropout)
    train: Train = Field(default_factory=Train)
    detector: DetectorOptions = Field(default_factory=DetectorOptions)
    log: Log = Field(default_factory=Log)
