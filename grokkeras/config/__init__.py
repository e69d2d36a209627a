"""A run's configuration: typed, read from YAML, every fault reported at once.

Imports neither NumPy nor Keras, so that a mistake is answered before anything heavy is loaded.
"""

from grokkeras.config.digests import digest
from grokkeras.config.fit import available_memory, check_memory
from grokkeras.config.load import check_data, dump_config, load_config, to_plain
from grokkeras.config.memory import MemoryEstimate, estimate_memory, memory_line
from grokkeras.config.overrides import parse_settings
from grokkeras.config.resume import apply_resume_overrides
from grokkeras.config.schema import RunConfig
from grokkeras.config.shape import TaskShape, task_shape

__all__ = [
    "MemoryEstimate",
    "RunConfig",
    "TaskShape",
    "apply_resume_overrides",
    "available_memory",
    "check_data",
    "check_memory",
    "digest",
    "dump_config",
    "estimate_memory",
    "load_config",
    "memory_line",
    "parse_settings",
    "task_shape",
    "to_plain",
]
