"""What the training form says: a preset for every ticked algorithm, and what was changed in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from metacore import ALGORITHMS, DATASETS, MODELS, RunConfig, UserError, preset
from metacore.answers import Standing
from metacore.answers.questions import Possible
from metacore.device import DEVICES, resolve
from metacore.runs import teachers
from metacore.training.config import fitting_models
from metacore.training.presets import pairs
from pages.ui import engine, forms, state, waiting, words

PARTS = ("algorithm", "model", "training")
DATA, DATA_PARTS = "data", ("task", "dataset")


@dataclass(frozen=True)
class Plan:
    """The choices that several runs share."""

    dataset: str
    level: str
    seed: int
    device: str
    ways: int
    shots: int

    def preset(self, algorithm: str) -> RunConfig:
        return preset(
            algorithm,
            self.dataset,
            self.level,
            ways=self.ways,
            shots=self.shots,
            seed=self.seed,
            device=self.device,
        )

    def shared(self) -> RunConfig:
        """A preset whose task and data stand for those of all."""
        return self.preset(first(self.dataset))

    def data_key(self) -> str:
        return f"settings {self.dataset}"

    def key(self, algorithm: str, part: str) -> str:
        """Another preset has a form of its own."""
        return f"settings {self.dataset} {self.level} {algorithm} {part}"

    def data(self, config: RunConfig) -> RunConfig:
        """With the settings of the data, which all runs share."""
        return config.replace(
            task=forms.remembered(config.task, key=self.data_key()),
            dataset=forms.remembered(config.dataset, key=self.data_key()),
        )

    def base(self, algorithm: str) -> RunConfig:
        """The preset, with the model that was chosen."""
        config = self.preset(algorithm)
        chosen = st.session_state.get(self.key(algorithm, "which model"), config.model_name)
        if chosen == config.model_name or chosen not in fitting(config):
            return config
        return config.replace(model=MODELS[chosen]())

    def config(self, algorithm: str) -> RunConfig:
        """The run that would be started; raises UserError where it makes no sense."""
        base = self.base(algorithm)
        changed = {
            part: forms.remembered(getattr(base, part), key=self.key(algorithm, part))
            for part in PARTS
        }
        return self.data(base.replace(**changed))

    def changed(self, algorithm: str) -> int:
        """How many settings of this algorithm's run differ from the preset."""
        base = self.base(algorithm)
        parts = (
            forms.changes(getattr(base, part), key=self.key(algorithm, part)) for part in PARTS
        )
        return sum(map(len, parts)) + (base.model_name != self.preset(algorithm).model_name)

    def written(self, algorithms: Sequence[str]) -> list[str]:
        """What differs from the presets, for the address: `maml.algorithm.inner_rate:0.1`."""
        shared = self.shared()
        said = [
            f"{DATA}.{part}.{name}:{value}"
            for part in DATA_PARTS
            for name, value in forms.changes(getattr(shared, part), key=self.data_key()).items()
        ]
        for algorithm in algorithms:
            base = self.base(algorithm)
            if base.model_name != self.preset(algorithm).model_name:
                said.append(f"{algorithm}.model:{base.model_name}")
            said += [
                f"{algorithm}.{part}.{name}:{value}"
                for part in PARTS
                for name, value in forms.changes(
                    getattr(base, part), key=self.key(algorithm, part)
                ).items()
            ]
        return said

    def read(self, said: Sequence[str], algorithms: Sequence[str]) -> None:
        """Settings as these words say, and all others as in the presets."""
        for algorithm in algorithms:
            self.reset(algorithm)
        for part in DATA_PARTS:
            forms.forget(getattr(self.shared(), part), key=self.data_key())
        for word in sorted(said, key=lambda word: word.count(".")):  # the model before its settings
            try:
                self._take(word, algorithms)
            except ValueError as why:
                state.note(words.plain(f"The address asks for {word[:60]}: {why}"))

    def _take(self, word: str, algorithms: Sequence[str]) -> None:
        path, _, text = word.partition(":")
        owner, _, rest = path.partition(".")
        part, _, name = rest.partition(".")
        if owner == DATA and part in DATA_PARTS:
            forms.take(getattr(self.shared(), part), name, text, key=self.data_key())
        elif owner in algorithms and rest == "model" and text in fitting(self.preset(owner)):
            st.session_state[self.key(owner, "which model")] = text
        elif owner in algorithms and part in PARTS:
            forms.take(getattr(self.base(owner), part), name, text, key=self.key(owner, part))
        else:
            raise ValueError("there is no such setting here.")

    def reset(self, algorithm: str) -> None:
        """Back to the preset."""
        base = self.base(algorithm)
        for part in PARTS:
            forms.forget(getattr(base, part), key=self.key(algorithm, part))
        st.session_state.pop(self.key(algorithm, "which model"), None)


def able(algorithm: str, dataset: str) -> bool:
    return (algorithm, dataset) in pairs()


def why_not(algorithm: str, dataset: str) -> str:
    """Why an algorithm cannot learn a dataset."""
    return (
        f"{ALGORITHMS[algorithm].title} sorts into classes;"
        f" {DATASETS[dataset].title.lower()} have none."
    )


def first(dataset: str) -> str:
    """The algorithm that is ticked for someone who has just arrived."""
    return next(algorithm for algorithm, name in pairs() if name == dataset)


def fitting(config: RunConfig) -> list[str]:
    """The models with which the algorithm can learn the dataset."""
    return fitting_models(config.algorithm_class, config.dataset_class)


def devices() -> list[str]:
    """`auto` and what is there."""
    return ["auto", *(name for name in DEVICES[1:] if _there(name))]


def _there(name: str) -> bool:
    try:
        resolve(name)
    except UserError:
        return False
    return True


def possible(
    configs: Sequence[RunConfig], *, moment: float = waiting.MOMENT
) -> list[Standing[None]]:
    """Whether these could be trained, as far as it is known within a moment."""
    return waiting.several(_asked(configs), moment=moment)


def preparing(configs: Sequence[RunConfig]) -> None:
    """A bar while that is being found out: data may have to be drawn first."""
    waiting.bar(_asked(configs), "Preparing the data", key="plan")


def _asked(configs: Sequence[RunConfig]) -> list[Possible]:
    """Another seed asks for nothing else."""
    return [Possible(config=config.replace(seed=0)) for config in configs]


def data_fields(chosen: Plan) -> None:
    """Widgets for what all runs share."""
    config = chosen.shared()
    forms.fields(config.task, key=chosen.data_key(), only=("queries",), columns=1)
    forms.fields(config.dataset, key=chosen.data_key())


def _teachers(chosen: Plan, algorithm: str) -> dict[str, str]:
    """The runs it could learn from, the best first, and how good they are."""
    try:
        config = chosen.config(algorithm)
    except UserError:
        return {}
    if config.teacher is None:
        return {}
    able = teachers.fitting(engine.store().runs(), config)
    return {run.name: f"{run.name} · {words.quoted(run)}" for run in able}


def algorithm_fields(chosen: Plan, algorithm: str) -> None:
    """Widgets for everything about one algorithm's run, and a way back to the preset."""
    base = chosen.base(algorithm)
    key = chosen.key(algorithm, "algorithm")
    forms.fields(base.algorithm, key=key, runs=_teachers(chosen, algorithm))
    st.markdown("**The network**")
    preset_model = chosen.preset(algorithm).model_name
    options = fitting(base)
    st.selectbox(
        "Model",
        options,
        options.index(preset_model),
        key=chosen.key(algorithm, "which model"),
        persist_state="session",
        help=" ".join(f"{name}: {MODELS[name].summary}" for name in options),
    )
    forms.fields(base.model, key=chosen.key(algorithm, "model"))
    st.markdown("**The outer loop**")
    forms.fields(base.training, key=chosen.key(algorithm, "training"))
    st.button(
        "Back to the preset",
        key=chosen.key(algorithm, "reset"),
        icon=":material/undo:",
        help="Undoes every change to these settings.",
        on_click=chosen.reset,
        args=(algorithm,),
        disabled=not chosen.changed(algorithm),
    )
