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
    _set(
        "a schedule where a number must stand",
        "train.max_steps={schedule: constant, value: 5}",
        "train.max_steps: received {'schedule': 'constant', 'value': 5}",
        "a schedule may not stand here",
    ),
    # Schedules
    _set(
        "a misspelt schedule",
        "optimizer.weight_decay={schedule: cosin, start: 1.0, end: 0.1, steps: 5000}",
        "optimizer.weight_decay.schedule: received 'cosin'",
        "did you mean 'cosine'?",
    ),
    _set(
        "a schedule that lacks arguments and has others",
        "optimizer.weight_decay={schedule: cosine, start: 1.0, ends: 0.1}",
        "optimizer.weight_decay.end: received nothing, expected a number",
        "optimizer.weight_decay.steps: received nothing",
        "optimizer.weight_decay.ends: received 0.1",
    ),
    _set(
        "an event that there is none of",
        "optimizer.weight_decay={schedule: on_event, event: grokked, before: 0, after: 1}",
        "optimizer.weight_decay.event: received 'grokked'",
        "one of memorization, plateau, grokking, collapse",
        "did you mean 'grokking'?",
    ),
    _set(
        "a weight decay that falls below 0",
        "optimizer.weight_decay={schedule: linear, start: 1, end: -1, steps: 100}",
        "optimizer.weight_decay: received a schedule with values from -1 to 1",
        "stay at 0 or more",
    ),
    _set(
        "a dropout that drops everything",
        "dropout.rate={schedule: linear, start: 1, end: 0, steps: 100}",
        "dropout.rate: received a schedule with values from 0 to 1",
        "from 0 to below 1",
    ),
    _set(
        "a learning rate that follows the weights",
        "optimizer.learning_rate={schedule: hold_norm, target: 30}",
        "optimizer.learning_rate: received the schedule hold_norm",
        "only a weight decay can follow the learning rate and weight norm",
    ),
    _set(
        "boundaries that do not rise",
        "optimizer.weight_decay={schedule: piecewise, boundaries: [9, 5], values: [1, 2, 3]}",
        "optimizer.weight_decay: received the schedule piecewise",
        "boundaries rise from each to the next",
    ),
    _set(
        "a schedule deep in another",
        "optimizer.weight_decay={schedule: warm_up, steps: 5, then: {schedule: step, start: x}}",
        "optimizer.weight_decay.then.start: received 'x', expected a number, 0 or more",
        "optimizer.weight_decay.then.factor: received nothing",
    ),
    _set(
        "annealed dropout in a model without dropout",
        [
            "model={name: mlp, num_layers: 0}",
            "dropout.rate={schedule: linear, start: 0.5, end: 0, steps: 100}",
        ],
        "dropout.rate: received a schedule, expected 0",
        "has no dropout that could follow it",
    ),
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
    _set("a misspelt recipe", "recipe=fats", "recipe: received 'fats'", "did you mean 'fast'?"),
    # Gradient transforms
    _set(
        "a misspelt transform",
        "optimizer.transforms=[orthograd, grokfst]",
        "optimizer.transforms.1: received 'grokfst'",
        "did you mean 'grokfast'?",
    ),
    _set(
        "a misspelt option of a transform",
        "optimizer.transforms=[{name: grokfast, lambda: 2}]",
        "optimizer.transforms.0.lambda",
        "a key that grokfast knows: name, alpha, lamb (did you mean 'lamb'?)",
    ),
    _set(
        "a value out of a transform's range",
        "optimizer.transforms=[{name: grokfast, alpha: 1}]",
        "optimizer.transforms.0.alpha: received 1, expected a number from 0 to below 1",
    ),
    _set(
        "no regular expression",
        "optimizer.transforms=[{name: norm_cap, variables: '('}]",
        "optimizer.transforms.0.variables: received '('",
        "a regular expression",
    ),
    _set(
        "a transform without what it needs",
        "optimizer.transforms=[layer_learning_rates]",
        "optimizer.transforms.0.rates: received nothing",
        "to factors",
    ),
    _set(
        "a misspelt schedule of a transform",
        "optimizer.transforms=[{name: grokfast, lamb: {schedule: cosin, start: 2, end: 0}}]",
        "optimizer.transforms.0.lamb.schedule: received 'cosin'",
        "did you mean 'cosine'?",
    ),
    _set(
        "a transform's schedule that falls below 0",
        "optimizer.transforms=[{name: norm_cap, factor: {schedule: linear, start: 1, end: -1, "
        "steps: 100}}]",
        "optimizer.transforms.0.factor: received the schedule linear",
        "stays at 0 or more",
    ),
    _set("one transform, not in a list", "optimizer.transforms=orthograd", "a list of names"),
    _set(
        "a window longer than the run",
        ["train.max_steps=50", "optimizer.transforms=[grokfast_ma]"],
        "optimizer.transforms.0.window: received 100",
        "at most train.max_steps, 50",
        process=True,
    ),
    _set(
        "the same transform twice",
        "optimizer.transforms=[orthograd, grokfast, orthograd]",
        "optimizer.transforms.2",
        "no second one",
    ),
    _set(
        "two norms to hold",
        "optimizer.transforms=[{name: weight_norm, scale: 0.8, norm: 30}]",
        "optimizer.transforms.0.norm",
        "one of the two",
    ),
    _set(
        "Muon on a model with nothing for it",
        ["optimizer={name: muon}", "model={name: mlp, num_layers: 0}"],
        "optimizer.name: received 'muon'",
        "no hidden matrix",
        process=True,
    ),
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
    _set("an unknown loss", "loss.name=stablmax", "loss.name", "did you mean 'stablemax'?"),
    _set("all of the label smoothed", "loss.label_smoothing=1.0", "from 0 to below 1"),
    _set(
        "label smoothing without softmax",
        "loss={name: stablemax, label_smoothing: 0.1}",
        "loss.label_smoothing",
        "unlike cross_entropy",
    ),
    _set(
        "Jacobian alignment in mixed precision",
        ["loss.jacobian_weight=0.001", "train.dtype=mixed_bfloat16"],
        "loss.jacobian_weight: received 0.001",
        "train.dtype float32",
    ),
    _set("an unknown start", "model.init=ortogonal", "did you mean 'orthogonal'?"),
    _set(
        "a size for orthogonal weights",
        ["model.init=orthogonal", "model.init_stddev=0.02"],
        "model.init_stddev",
        "model.init_scale changes",
    ),
    _set(
        "connections of dense weights",
        "model.init_connections=15",
        "model.init_connections",
        "or model.init: sparse",
    ),
    _set(
        "transfer from nowhere",
        "transfer.run=runs/nowhere",
        "There is no folder runs/nowhere",
        process=True,
    ),
    _set("transfer from no run", "transfer={what: embedding}", "transfer.run: received nothing"),
    _set(
        "a projection of everything",
        "transfer={run: runs/x, method: projection}",
        "transfer.method",
        "only an embedding can be projected",
    ),
    _set(
        "an unknown part to transfer",
        "transfer={run: runs/x, what: embeding}",
        "transfer.what",
        "did you mean 'embedding'?",
    ),
    _set("a measure twice", "log.measures=[weight_norm, weight_norm]", "each measure once"),
    _set("no costly measures", "log.costly_per_decade=0", "costly_per_decade", "from 1 to 1,000"),
    _set("a number for true", "log.histograms=1", "log.histograms", "true or false"),
    _set("a mode for true", "log.wandb=offline", "log.wandb", "true or false"),
    # The data
    _set(
        "a symmetry of another operation",
        ["task.operation=divide", "task.augment=[commute]", "task.pool_fraction=0.2"],
        "task.augment.0: received 'commute'",
        "one of scale, negate, reflect: the symmetries of modular_arithmetic with divide",
    ),
    _set("a misspelt symmetry", "task.augment=[comute]", "task.augment.0", "mean 'commute'?"),
    _set(
        "a symmetry twice",
        ["task.augment=[commute, commute]", "task.pool_fraction=0.2"],
        "task.augment.1: received 'commute'",
        "each symmetry once",
    ),
    _set(
        "augmentation without a place for images",
        "task.augment=[commute]",
        "task.pool_fraction: received 0.0",
        "all others stand in a split",
    ),
    _set("a pool of all that is left", "task.pool_fraction=0.3", "task.pool_fraction", "below 0.3"),
    _set(
        "a teacher without inputs to label",
        "task.teacher={run: runs/other}",
        "task.pool_fraction: received 0.0",
        "the teacher labels",
    ),
    _set(
        "a misspelt key of a teacher",
        ["task.teacher={run: runs/other, exmples: 5}", "task.pool_fraction=0.2"],
        "task.teacher.exmples: received 5",
        "did you mean 'examples'?",
    ),
    _set(
        "a teacher that is no run",
        ["task.teacher={run: nowhere}", "task.pool_fraction=0.2"],
        "task.teacher.run: ",
        "nowhere",
    ),
    _set("all labels wrong", "task.label_noise=1.0", "task.label_noise: received 1.0", "below 1"),
    _set(
        "one operation in a mixture",
        "task={name: modular_mixture, operations: [add]}",
        "task.operations: received ['add']",
        "two at least",
    ),
    _set(
        "a curriculum with full batches",
        "curriculum={by: operand_range, steps: 500}",
        "train.batch_size: received 'full'",
        "draws its batches from the easiest examples",
    ),
    _set(
        "a curriculum that never moves on",
        ["curriculum={by: operand_range}", "train.batch_size=512"],
        "curriculum.steps: received nothing",
        "or curriculum.until",
    ),
    _set(
        "a curriculum by step and by accuracy",
        ["curriculum={by: operand_range, steps: 500, until: 0.9}", "train.batch_size=512"],
        "curriculum.until: received 0.9",
    ),
    _set(
        "a difficulty of another task",
        ["curriculum={by: set_bits, steps: 500}", "train.batch_size=512"],
        "curriculum.by: received 'set_bits'",
        "a difficulty of modular_arithmetic: operand_range",
    ),
    _set(
        "a curriculum that shrinks",
        ["curriculum={by: operand_range, start: 0.5, end: 0.2, steps: 9}", "train.batch_size=512"],
        "curriculum.end: received 0.2",
        "at least curriculum.start, 0.5",
    ),
    _set(
        "a batch above what a curriculum admits",
        ["curriculum={by: operand_range, start: 0.1, steps: 500}", "train.batch_size=512"],
        "train.batch_size: received 512",
        "at most the 376 training examples that curriculum.start admits",
    ),
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
    _command("nothing to report on", "report DIR", "holds no run"),
    _command("nothing to explain", "explain DIR/nowhere", "no folder"),
    _command("no runs to look at", "board DIR/runs", "no folder", process=True),
    _command(
        "seeds that are none", "sweep DIR/bad.yaml --seeds 0-8", "--seeds '0-8'", "such as 0:8"
    ),
    _command(
        "a grid that is none",
        "sweep DIR/bad.yaml --seeds 0:2 --grid model.width --grid seed=1,2 --set train.max_steps=0",
        "KEY=V1,V2",
        "the seeds as --seeds",
        "train.max_steps: received 0",
        process=True,
    ),
    _command(
        "more seeds than a sweep can have",
        "sweep DIR/bad.yaml --seeds 0:999999999",
        "at most 100,000 seeds",
    ),
    _command(
        "a seed or a name that a sweep gives",
        "sweep DIR/bad.yaml --seeds 0:2 --set seed=5 --grid name=a,b",
        "the seeds as --seeds",
        "one name",
    ),
    _command(
        "a page by the name of its record",
        "reproduce G1 --page DIR/page.jsonl",
        "expected such as",
        "page.md",
    ),
    _command(
        "an unknown engine of a sweep",
        "sweep DIR/bad.yaml --seeds 0 --engine proces",
        "mean 'process'?",
    ),
    _command("no event files", "board DIR", "no TensorBoard event files"),
    _command("a port out of range", "board DIR --port 70000", "70000", "65535"),
    _command("an unknown bench", "bench stps", "'stps'", "steps"),
    _command("no run to export", "export DIR/nowhere", "There is no folder", "nowhere"),
    _command("no models to serve", "serve DIR/nowhere", "no folder", "grokkeras export"),
    _command("an unknown engine", "serve DIR --engine onx", "'onx' is not one of", "tensorflow"),
    _command("a model outside the folder", "serve DIR --model-name ../x", "is no name of a model"),
]
