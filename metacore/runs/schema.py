"""What may stand in the files of a run, whoever made them: nothing else is read from one.

One Struct for each file, or for each part of one; `metacore.strict` says what their types allow.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from metacore.strict import (
    LARGEST_COUNT,
    LONGEST_TEXT,
    ONE_LINE,
    Amount,
    Count,
    Duration,
    Line,
    Moment,
    Name,
    Number,
    Scalar,
    Scalars,
    Share,
    Text,
)

MOST_TAGS, LONGEST_TAG, LONGEST_NOTE = 50, 60, LONGEST_TEXT
MOST_POINTS = 1000  # of one series in an adaptation.json

Few = Annotated[int, Meta(ge=0, le=2**31)]
Size = Annotated[int, Meta(ge=1, le=LARGEST_COUNT)]
Metric = Literal["accuracy", "mse"]
Status = Literal["queued", "running", "finished", "cancelled", "failed", "interrupted"]
Tag = Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG, pattern=ONE_LINE)]
ConfigValues = Annotated[dict[Line, Scalar | dict[Line, Scalar]], Meta(max_length=20)]


class Format(Struct):
    """As much of a run.json as tells who can read the rest."""

    format: Any = None


class Facts(Struct, forbid_unknown_fields=True, kw_only=True):
    """run.json: what is known of a run besides its config, in the order in which it is written.

    A score beyond its metric's range is refused where the metric is known.
    """

    format: Literal[1]
    name: Name
    status: Status
    metric: Metric
    device: Line
    device_name: Annotated[str, Meta(max_length=500)] | None = None
    environment: Scalars | None = None
    created: Moment
    started: Moment | None = None
    ended: Moment | None = None
    iteration: Count | None = None
    seconds: Duration | None = None
    rate: Annotated[float, Meta(ge=0, le=1e9)] | None = None  # meta-steps per second
    best_value: Amount | None = None
    best_ci95: Amount | None = None
    best_iteration: Count | None = None
    message: Text | None = None
    note: Text | None = None
    tags: Annotated[list[Tag], Meta(max_length=MOST_TAGS)] | None = None
    digest: Annotated[str, Meta(max_length=128)] | None = None


class Best(Struct, forbid_unknown_fields=True):
    iteration: Count
    value: Amount
    ci95: Amount


class Window(Struct, forbid_unknown_fields=True):
    """A curve's unfinished point."""

    steps: Count
    sums: Annotated[dict[Name, Number], Meta(max_length=100)]


class Pretrained(Struct, forbid_unknown_fields=True):
    """The weights of a network that was trained before the run."""

    name: Line
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Info(Struct, forbid_unknown_fields=True, kw_only=True):
    """What a checkpoint holds besides its tensors."""

    iteration: Count
    seconds: Duration
    best: Best | None
    stale_validations: Count
    validated_at: Count | None
    window: Window | None = None
    weights: Pretrained | None = None


class Tensor(Struct, forbid_unknown_fields=True):
    """Where a tensor lies in a safetensors file, and what it is."""

    dtype: Literal["F32"]
    shape: Annotated[list[Size], Meta(max_length=8)]
    data_offsets: tuple[Count, Count]


Series = Annotated[list[Number | None], Meta(max_length=MOST_POINTS)]
Curves = Annotated[list[Series], Meta(max_length=100)]  # after each inner step
Chances = Annotated[list[Annotated[list[Share], Meta(max_length=100)]], Meta(max_length=500)]


class Look(Struct, forbid_unknown_fields=True, kw_only=True):
    """One moment of an adaptation.json."""

    iteration: Count
    seconds: Duration
    query_score: Series
    query_loss: Series
    support_loss: Series
    probabilities: Annotated[list[Chances], Meta(max_length=100)] | None = None
    curves: Curves | None = None


class Task(Struct, forbid_unknown_fields=True):
    split: Line
    ways: Count
    shots: Count
    queries: Count
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    number: Count


class Adaptation(Struct, forbid_unknown_fields=True, kw_only=True):
    """adaptation.json."""

    metric: Metric
    norm: Line
    steps: Annotated[list[Count], Meta(min_length=1, max_length=100)]
    episode: Task
    moments: Annotated[list[Look], Meta(min_length=1, max_length=100)]
    grid: Annotated[list[Number], Meta(min_length=1, max_length=MOST_POINTS)] | None


class Score(Struct, forbid_unknown_fields=True, kw_only=True):
    """test.json: the score stands under the name of its metric."""

    accuracy: Share | None = None
    mse: Amount | None = None
    ci95: Amount
    dataset: Line
    split: Literal["test"]
    norm: Line
    ways: Few
    shots: Few
    queries: Few
    steps: Few
    episodes: Few
    seed: Few
