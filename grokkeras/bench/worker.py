"""A process that times one loop, on demand: `python -m grokkeras.bench.worker ...`.

It makes the loop, calls it once (which compiles), says that it is ready, and then, for each line
on the standard input, a number of seconds, trains that long and answers with one line of JSON. The
loops of a workload live side by side and take turns, so that a drift of the machine hits all alike.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any


def serve(
    run: Callable[[int], Any],
    chunk: int,
    timer: Callable[..., tuple[int, float, float]],
    requests: Iterable[str],
    answer: Callable[[dict[str, Any]], None],
) -> None:
    """Answers each request with `steps`, `seconds` and the last `loss`.

    Args:
        run: trains a number of steps and returns their losses.
        chunk: steps a call.
        timer: `benchmarks.timing.time_steps`.
        requests: lines, each a number of seconds.
        answer: sends one answer.
    """
    first = run(chunk)
    answer({"ready": True, "first_loss": float(first[0])})
    for line in requests:
        steps, seconds, loss = timer(run, chunk, float(line))
        answer({"steps": steps, "seconds": seconds, "loss": loss})


def main(arguments: list[str]) -> None:
    """Serves the loop that MODULE makes for WORKLOAD and FORM; workloads come from BASELINES."""
    baselines, module, workload_name, form = arguments
    # What the frameworks print must not mix with the answers: it goes where errors go.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    workload = importlib.import_module(f"{baselines}.data").WORKLOADS[workload_name]
    timer = importlib.import_module(f"{baselines}.timing").time_steps
    run = importlib.import_module(module).make_run(workload, form)

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    serve(run, workload.chunk, timer, sys.stdin, answer)


if __name__ == "__main__":
    main(sys.argv[1:])
