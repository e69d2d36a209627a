"""What users get wrong: configurations and commands, and what the answer must say.

One table for the tests and for `docs/bad_input.md`, so that the page shows what is tested.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VALID = """\
name: example
task: {name: modular_arithmetic, operation: add}
model: {name: transformer}
optimizer: {name: adamw}
"""


@dataclass(frozen=True)
class Case:
    """One mistake.

    Attributes:
        title: the mistake in a few words.
        phrases: what the message must hold.
        settings: `--set` options of `grokkeras run bad.yaml`.
        config: the text of bad.yaml.
        command: the whole command line, where it is not that one. `DIR` stands for a folder with
            the files bad.yaml and notes.txt.
        environ: variables of the environment.
        process: run in a process of its own as well.
    """

    title: str
    phrases: list[str]
    settings: list[str] = field(default_factory=list)
    config: str = VALID
    command: list[str] | None = None
    environ: dict[str, str] = field(default_factory=dict)
    process: bool = False

    def arguments(self, folder: str) -> list[str]:
        """The command line, without the program's name."""
        if self.command is not None:
            return [part.replace("DIR", folder) for part in self.command]
        settings = [part for setting in self.settings for part in ("--set", setting)]
        return ["run", f"{folder}/bad.yaml", *settings]


def _file(title: str, config: str, *phrases: str, process: bool = False) -> Case:
    return Case(title, list(phrases), config=config, process=process)


def _set(title: str, setting: str | list[str], *phrases: str, process: bool = False) -> Case:
    settings = [setting] if isinstance(setting, str) else setting
    return Case(title, list(phrases), settings=settings, process=process)


def _command(title: str, command: str, *phrases: str, process: bool = False) -> Case:
    return Case(title, list(phrases), command=command.split(), process=process)


CASES = [
    # Values of the wrong kind
    _set("text for a whole number", "task.modulus='97'", "task.modulus", "'97'", "written 97"),
    _set("true for a number", "optimizer.learning_rate=true", "received True", "a number above 0"),
    _set("a fraction for a whole number", "train.max_steps=1.5", "1.5", "a whole number from 1"),
    _set("a point in a whole number", "train.max_steps=500.0", "500.0", "written 500"),
    _set("separators in a number", "train.max_steps=10_000", "'10_000'", "written 10000"),
    _set("yes for true", "model.causal=yes", "received 'yes'", "true or false", "are text"),
    _set("not a number", "optimizer.weight_decay=.nan", "received nan", "a number, 0 or more"),
    _set("infinity", "optimizer.learning_rate=.inf", "received inf", "a number above 0"),
    _set("nothing for a number", "optimizer.beta_1=", "received None", "from 0 to below 1"),
    _set("a list for a number", "seed=[1, 2]", "seed: received [1, 2]", "a whole number"),
    _set("text for a list", "log.measures=weight_norm", "'weight_norm'", "a list"),
    _set("a number for a section", "model=3", "model: received 3", "transformer, mlp"),
    _set("a schedule", "optimizer.weight_decay={schedule: cosine}", "schedules are not available"),
    # Out of range
    _set("modulus below 2", "task.modulus=1", "task.modulus: received 1", "from 2 to 10,000"),
    _set("a fraction of 1", "task.train_fraction=1.0", "above 0 and below 1"),
    _set("a negative seed", "seed=-1", "seed: received -1", "from 0 to 4,294,967,295"),
    _set("a negative decay", "optimizer.weight_decay=-1", "received -1", "0 or more"),
    _set("all units dropped", "dropout.rate=1.0", "dropout.rate", "below 1"),
    _set("stop before grokking", "train.stop_after_grokking=-1", "from 0", "or null"),
    _set("no patience", "detector.patience=0", "detector.patience: received 0"),
    _set("a folder in the name", "name=a/b", "name: received 'a/b'", "a folder name"),
    # Misspelt
    _set("a misspelt choice", "model.activation=rleu", "did you mean 'relu'?", process=True),
    _set("a misspelt task", "task.name=modular_aritmetic", "did you mean 'modular_arithmetic'?"),
    _set("a misspelt measure", "log.measures=[weight_nrm]", "log.measures.0", "'weight_norm'?"),
    _set("a misspelt key", "optimizer.weight_deacy=1", "did you mean 'weight_decay'?"),
    _set("a name from elsewhere", "optimizer.lr=1", "optimizer.lr", "did you mean 'learning_rate'"),
    _file(
        "a misspelt section",
        VALID.replace("optimizer:", "optimiser:"),
        "optimiser",
        "did you mean 'optimizer'?",
    ),
    _set("a key in the wrong section", "train.weight_decay=1", "as optimizer.weight_decay"),
    _set("a key in no section", "batch_size=32", "batch_size", "as train.batch_size"),
    _set(
        "a key of another model",
        "model.encoding=one_hot",
        "transformer, unlike mlp, knows: name, num_layers",
    ),
    # Not in this version
    _set("a transform", "optimizer.transforms=[grokfast]", "no gradient transforms"),
    _set("a recipe", "recipe=fast", "recipe: received 'fast'", "not available in this version"),
    # Values that do not go together
    _set(
        "division by a composite",
        ["task.operation=divide", "task.modulus=96"],
        "task.modulus: received 96",
        "a prime",
        "such as 97",
        process=True,
    ),
    _set("no test split", "task.train_fraction=0.7", "task.val_fraction", "left for the test"),
    _set(
        "an empty split",
        ["task.modulus=2", "task.train_fraction=0.1"],
        "the train split of these 4 examples is empty",
    ),
    _set("heads and width", "model.num_heads=3", "divides model.width, 128", "2 or 4"),
    _set("a batch above the data", "train.batch_size=5000", "at most the 3,764 training examples"),
    _set(
        "more relevant bits than bits",
        ["task={name: sparse_parity, num_bits: 10, num_relevant: 11, num_examples: 500}"],
        "task.num_relevant: received 11",
        "at most task.num_bits, 10",
    ),
    _set(
        "more rows than there are",
        ["task={name: sparse_parity, num_bits: 10}"],
        "the 1,024 different rows of 10 bits",
    ),
    _set(
        "signs for residues",
        "model={name: mlp, encoding: signed}",
        "signed is for bits",
        "97 tokens a place",
    ),
    _set("features for tokens", "model={name: mlp, encoding: none}", "one_hot or embedding"),
    _set("Nesterov without momentum", "optimizer={name: sgd, nesterov: true}", "above 0"),
    _set(
        "a beta_2 that bfloat16 rounds to 1",
        ["train.dtype=bfloat16", "optimizer.beta_2=0.999"],
        "optimizer.beta_2: received 0.999",
        "at most 0.998",
        "mixed_bfloat16",
    ),
    _set("an accuracy above 1", "detector.train_threshold=99", "an accuracy, at most 1"),
    _set("collapse above grokking", "detector.collapse_threshold=0.99", "at most detector.val_thr"),
    _set("loss without thresholds", "detector.metric=loss", "received nothing", "such as 0.01"),
    _set("a measure twice", "log.measures=[weight_norm, weight_norm]", "each measure once"),
    # Many at once
    _file(
        "five faults of four kinds",
        """\
task: {name: modular_arithmetic, operation: divide, modulus: 96}
model: {name: transformer, num_heads: 3, activation: rleu}
optimizer: {name: adamw, lr: 0.001}
seed: "0"
""",
        "5 faults",
        "seed: received '0'",
        "task.modulus",
        "model.num_heads",
        "model.activation",
        "optimizer.lr",
        process=True,
    ),
    # The file
    _file("YAML that breaks off", "task: {name: [", "not valid YAML", "line 1", process=True),
    _file("a tab for indentation", "task:\n\tname: x\n", "not valid YAML", "line 2, column 1"),
    _file("the same key twice", VALID + "seed: 1\nseed: 2\n", "lines 5 and 6", process=True),
    _file("an empty file", "# nothing yet\n", "is empty"),
    _file("a list", "- 1\n- 2\n", "holds a list", "task, model and optimizer"),
    _file("no task", "model: {name: mlp}\n", "task: received nothing", "modular_arithmetic"),
    _file("a task without a name", VALID.replace("name: modular_arithmetic, ", ""), "task.name"),
    _file("a key that is a number", VALID + "1: 2\n", "the key 1", "a key that is text"),
    _file("code in YAML", "task: !!python/name:os.system\n", "line 1", "python/name:os.system"),
    _command("no such file", "run DIR/bda.yaml", "There is no", "bad.yaml'?", process=True),
    _command("a folder", "run DIR", "is a folder, expected a configuration file"),
    _command("no configuration at all", "run", "Missing argument 'CONFIG'"),
    # The command line
    _command("a misspelt shipped name", "run quickstat", "did you mean 'quickstart'?"),
    _set("a setting without a value", "train.max_steps", "--set", "KEY=VALUE", process=True),
    _set("a setting through text", "name.x=1", "name.x", "no plain value at name"),
    _set("a setting that is no YAML", "task=[1", "task", "a value in YAML"),
    _command("an unknown backend", "run DIR/bad.yaml --backend jaxx", "backend", "mean 'jax'?"),
    Case(
        "an unknown backend in the environment",
        ["KERAS_BACKEND: received 'theano'", "one of tensorflow, jax, torch"],
        environ={"KERAS_BACKEND": "theano"},
    ),
    _command("a seed that is no number", "run DIR/bad.yaml --seed x", "'x' is not a valid int"),
    _command("a misspelt command", "rnu", "did you mean 'run'?", process=True),
    _command("a misspelt option", "run DIR/bad.yaml --backnd jax", "--backnd", "--backend"),
    _command("an unknown kind", "list task", "'task' is not one of", "tasks", process=True),
    _command("no such run", "show DIR/nowhere", "no folder", "nowhere", process=True),
    _command("a folder that is no run", "show DIR", "holds no run"),
    _command("no runs to look at", "board DIR/runs", "no folder", process=True),
    _command("no event files", "board DIR", "no TensorBoard event files"),
    _command("a port out of range", "board DIR --port 70000", "70000", "65535"),
    _command("an unknown bench", "bench stps", "'stps'", "steps"),
]
