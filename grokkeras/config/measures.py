"""The measures that a configuration can name, with what each is and costs, for `grokkeras list`.

The functions are registered in `grokkeras.measures.registered`, which needs NumPy; a test holds the
two together.
"""

from __future__ import annotations

from typing import Literal

MeasureName = Literal[
    "weight_norm",
    "weight_norm_by_layer",
    "logit_scale",
    "softmax_collapse",
    "generalization_gap",
    "embedding_ipr",
    "embedding_gini",
    "embedding_representations",
    "effective_rank",
    "heavy_tail_exponent",
    "restricted_loss",
    "excluded_loss",
    "gradient_norm",
    "gradient_entropy",
    "commutator_defect",
]

# Costly: at log.costly_per_decade evaluations a decade.
MEASURES: dict[str, str] = {
    "weight_norm": "Square root of the sum of all squared weights.",
    "weight_norm_by_layer": "The weight norm of each layer.",
    "logit_scale": "Mean over the training examples of the largest logit.",
    "softmax_collapse": "Share of training examples that are right with a softmax of exactly 1.",
    "generalization_gap": "Validation loss minus training loss.",
    "embedding_ipr": "Concentration of the operands' embedding on frequencies, 1: on a single one.",
    "embedding_gini": "Inequality of the frequencies in the operands' embedding, 0 to 1.",
    "embedding_representations": "Share of each irreducible representation (symmetric groups).",
    "effective_rank": "Directions that each weight matrix uses. Costly: a decomposition each.",
    "heavy_tail_exponent": "Smallest power-law exponent of the matrices' spectra. Costly: same.",
    "restricted_loss": "Loss with the key frequencies of the logits alone. Costly: all pairs once.",
    "excluded_loss": "Training loss without the key frequencies. Costly: shares the above.",
    "gradient_norm": "Norm of the training loss' gradient. Costly: one backward pass.",
    "gradient_entropy": "Evenness of the gradient over the weights, 0 to 1. Costly: shares it.",
    "commutator_defect": "How much the order of two steps matters. Costly: 36 backward passes.",
}
