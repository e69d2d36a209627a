"""A run's curriculum: made from its configuration, and told how well the model does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grokkeras.config import RunConfig
from grokkeras.detection import Event
from grokkeras.tasks import TaskData, difficulty
from grokkeras.training.curriculum import Curriculum, Pace, StagePace, StepPace

if TYPE_CHECKING:
    from grokkeras.training.program import Program

_DEFAULT_STAGES = 5


def build_curriculum(config: RunConfig, task: TaskData) -> Curriculum | None:
    """The curriculum of a configuration, or None where it has none.

    Raises:
        UserError: the task has no such difficulty; the file of `arrays` may lack it.
    """
    options = config.curriculum
    if options is None:
        return None
    count = len(task.train)
    pace: Pace
    if options.steps is not None:
        pace = StepPace(count, options.start, options.end, options.steps)
    else:
        assert options.until is not None  # the configuration's check sees to it
        stages = options.stages or _DEFAULT_STAGES
        pace = StagePace(count, options.start, options.end, stages, options.until)
    return Curriculum(difficulty(task, options.by), pace)


def admitted_share(program: Program, step: int) -> dict[str, float]:
    """The share of the training split that batches are drawn from, for metrics.jsonl."""
    curriculum = program.recipe.curriculum
    if curriculum is None:
        return {}
    return {"curriculum_share": curriculum.pace.admitted(step) / len(curriculum.ranking)}


def tell_curriculum(program: Program, step: int) -> list[Event]:
    """Lets the accuracy on the admitted examples open the next stage.

    Args:
        program: with the present weights.
        step: optimizer steps done, an evaluation step.

    Returns:
        An event if a stage opened.
    """
    curriculum = program.recipe.curriculum
    if curriculum is None or not curriculum.pace.awaits_accuracy():
        return []
    rows = curriculum.admitted(step)
    x, y = program.recipe.x[rows], program.recipe.y[rows]
    accuracy = program.evaluate("admitted", x, y)["accuracy"]
    if not curriculum.pace.tell(step, accuracy):
        return []
    program.forget("admitted")
    now = curriculum.pace.admitted(step)
    message = (
        f"accuracy {accuracy:.3f} on the {len(rows):,} easiest training examples; now batches "
        f"come from the {now:,} easiest"
    )
    return [Event(step, "curriculum", {"admitted": now, "accuracy": accuracy, "message": message})]
