"""Studies: many runs of grokkeras itself, and the tables that come of them.

Each is restartable: `python -m benchmarks.studies.recipes` run again does only what is missing, and
with `--table` it runs nothing and writes the table of what has ended. One run is one process on one
core, and an ordinary run folder under `runs/studies/`.
"""
