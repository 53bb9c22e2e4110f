"""How a run learned: its training curve, and validation with its 95% confidence interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from metacore.runs import Metric, Run
from pages.ui import palette
from pages.ui.figures import base
from pages.ui.palette import Theme


@dataclass(frozen=True)
class History:
    """One run's metrics, by key: steps, seconds and values."""

    name: str
    algorithm: str
    metric: str  # accuracy or mse
    color: str
    tasks: int = 1  # per meta-step
    ways: int = 0  # of a validation task; 0 where nobody asks
    dash: str = ""  # its algorithm's, unless said otherwise
    columns: Mapping[str, tuple[list[int], list[float], list[float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, metrics: Sequence[Metric], color: str, dash: str = "") -> "History":
        return cls(
            name=run.name,
            algorithm=run.config.algorithm_class.name,
            metric=run.metric,
            color=color,
            tasks=run.config.training.tasks,
            ways=run.config.ways,
            dash=dash,
            columns=columns(metrics),
        )

    def column(self, key: str) -> tuple[list[int], list[float], list[float]]:
        return self.columns.get(key, ([], [], []))

    def last(self, key: str) -> tuple[int, float]:
        """How many points a curve has and where it ends: what tells two states of it apart."""
        _, _, values = self.column(key)
        return len(values), values[-1] if values else 0.0

    def x(self, key: str, against: str) -> Sequence[float]:
        """Where the points of a curve lie: meta-steps, tasks seen or seconds."""
        steps, seconds, _ = self.column(key)
        if against == "seconds":
            return seconds
        return [step * self.tasks for step in steps] if against == "episodes" else steps


AGAINST = {"iterations": "meta-steps", "episodes": "training tasks seen", "seconds": "seconds"}


def columns(metrics: Sequence[Metric]) -> dict[str, tuple[list[int], list[float], list[float]]]:
    """Metrics gathered by key."""
    found: dict[str, tuple[list[int], list[float], list[float]]] = {}
    for metric in metrics:
        steps, seconds, values = found.setdefault(metric.key, ([], [], []))
        steps.append(metric.step)
        seconds.append(metric.seconds)
        values.append(metric.value)
    return found


def loss(history: History, theme: Theme) -> go.Figure:
    made = base.figure(theme, x=AGAINST["iterations"], y="loss", height=260, legend=False)
    steps, _, values = history.column("train_loss")
    made.add_trace(base.line("training loss", steps, values, history.color, width=1.6))
    return made


def validation(
    histories: Sequence[History], theme: Theme, against: str = "iterations", height: int = 260
) -> go.Figure:
    """Validation scores of one or several runs, each in the band of its confidence interval."""
    metric = histories[0].metric
    name = "validation accuracy" if metric == "accuracy" else "validation mean squared error"
    several = len(histories) > 1
    made = base.figure(theme, x=AGAINST[against], y=name, height=height, legend=several)
    for history in histories:
        key = f"val_{metric}"
        x, (_, _, values) = history.x(key, against), history.column(key)
        spread = history.column("val_ci95")[2]
        if len(spread) == len(values) > 1:
            low = [v - s for v, s in zip(values, spread, strict=True)]
            high = [v + s for v, s in zip(values, spread, strict=True)]
            made.add_trace(base.band(x, low, high, history.color))
        dash = (history.dash or palette.dash(history.algorithm)) if several else "solid"
        alone = {"error_y": {"type": "data", "array": spread}} if len(spread) == 1 else {}
        made.add_trace(
            base.line(history.name, x, values, history.color, dash, mode="lines+markers", **alone)
        )
    made.update_traces(marker={"size": 5})
    if metric == "accuracy":
        _chance(made, histories, against, theme)
        base.percent(made).update_yaxes(autorangeoptions={"clipmin": 0.0, "clipmax": 1.02})
    return made


def _chance(made: go.Figure, histories: Sequence[History], against: str, theme: Theme) -> go.Figure:
    """Where all were validated on tasks of as many classes."""
    ways = {history.ways for history in histories}
    across = [x for h in histories for x in h.x("val_accuracy", against)]
    return base.chance(made, max(ways), across, theme) if len(ways) == 1 and min(ways) else made
