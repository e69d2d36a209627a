"""A run folder: what a run was asked to do, what it did, and how far it got.

    folder = RunFolder.create(None, config)   # runs/NAME-1, with config.yaml and summary.json
    folder = RunFolder.open("runs/quickstart-1")
    record = read_run("runs/quickstart-1")    # plain data, whatever state the folder is in

Nothing here imports a backend: both files exist before the slow imports begin.
"""

from grokkeras.run_folder.folder import RunFolder
from grokkeras.run_folder.record import RunRecord, read_run
from grokkeras.run_folder.summary import METRIC_KEYS, SCHEMA_VERSION, SUMMARY_KEYS

__all__ = ["METRIC_KEYS", "SCHEMA_VERSION", "SUMMARY_KEYS", "RunFolder", "RunRecord", "read_run"]
