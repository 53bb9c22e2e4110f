"""The published number that stands beside a run's own, and in what the two protocols differ."""

from typing import Any

from metacore.insight.published import Published, PublishedCurve, published, published_curve
from metacore.runs.record import Run
from metacore.training.evaluate import Protocol


def published_match(run: Run, protocol: Protocol) -> dict[str, Any] | None:
    """What a paper reports for such a task, or None if none here does."""
    method = run.config.algorithm_class.name
    if protocol.norm == "none":
        return _curve(run, protocol, published_curve(method, protocol.dataset))
    norm, ways, shots = protocol.norm, protocol.ways, protocol.shots
    found = published(method, protocol.dataset, ways=ways, shots=shots, norm=norm)
    if found is None:
        return None
    return _entry(found, found.value, found.ci95, _differs(run, protocol, found))


def _curve(run: Run, protocol: Protocol, found: PublishedCurve | None) -> dict[str, Any] | None:
    """Errors are published by shots and inner steps."""
    if found is None or found.shots != protocol.shots or protocol.steps not in found.mse:
        return None
    return _entry(found, found.mse[protocol.steps], None, _differs(run, protocol, found))


def _entry(
    found: Published | PublishedCurve, value: float, ci95: float | None, differs: str
) -> dict[str, Any]:
    facts = {"protocol": found.protocol.sentence, "source": found.source}
    return {"value": value, "ci95": ci95, **facts, "differs": differs}


def _differs(run: Run, protocol: Protocol, found: Published | PublishedCurve) -> str:
    trained_on, training = run.config.dataset_class.name, run.config.training
    norm = getattr(found, "norm", protocol.norm)
    parts = [
        f"trained on {trained_on}" if trained_on != protocol.dataset else "",
        _variant(run),
        f"pictures {protocol.conversion}" if protocol.conversion else "",
        _instead(run.iteration, "meta-steps", found.protocol.meta_steps),
        f"{training.tasks} tasks per meta-step",
        _instead(protocol.episodes, f"{protocol.split} tasks", found.protocol.tasks),
        "" if norm == protocol.norm else _other_norm(protocol.norm, norm),
    ]
    return f"Here: {', '.join(part for part in parts if part)}."


def _instead(ours: int, what: str, theirs: int) -> str:
    """Our number, and theirs if it is another and the paper gives it."""
    said = f"{ours:,} {what}"
    return said if theirs in (0, ours) else f"{said} instead of {theirs:,}"


def _other_norm(ours: str, theirs: str) -> str:
    return f"normalised {ours}" + (f" instead of {theirs}" if theirs else " (the paper is silent)")


def _variant(run: Run) -> str:
    """The settings of the training data that are not what the papers used."""
    config = run.config.dataset
    changed = {k: v for k, v in config.to_dict().items() if v != getattr(type(config)(), k)}
    return ", ".join(f"{name} = {value}" for name, value in changed.items())
