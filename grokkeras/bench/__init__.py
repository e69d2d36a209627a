"""How fast this machine trains: our loop beside hand-written ones, measured in the same run."""

from grokkeras.bench.harness import run_benches

__all__ = ["run_benches"]
