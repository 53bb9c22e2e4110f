"""An LSTM with an external memory, addressed by content and by how long nobody has used a slot.

    w_w <- sigmoid(alpha) w_r + (1 - sigmoid(alpha)) w_lu      where it looked last, or least used
    M(i) <- M(i) + w_w(i) k                                    (the least used is erased before)
    w_r(i) = softmax_i(sharpness * cos(k, M(i)))
    w_u <- gamma w_u + w_r + w_w

Each head has a key k, a gate alpha and weights of its own. Of the H least used slots each head is
given one to write to. Which slot is used least is not differentiated, what is written and read is.

Axes: T tasks, L moments of a stream, U units, H heads, M slots, K numbers of a key, W of a slot
(a key, then a note), A answers.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST = 1e-6  # a length: an empty slot resembles nothing
FRESH = 1e-4  # usage by which empty slots differ, so that they are taken in their order


class Memory(NamedTuple):
    slots: Tensor  # M [T, M, W]
    usage: Tensor  # w_u [T, M]
    looked: Tensor  # w_r, where each head looked last [T, H, M]
    written: Tensor  # w_w, where each head wrote last [T, H, M]
    kept: Tensor  # 0 where a slot was erased for that, else 1 [T, M]


class State(NamedTuple):
    """All that a stream leaves behind."""

    memory: Memory
    keys: Tensor  # of the last moment [T, H, K]
    found: Tensor  # what was read [T, H * W]
    hidden: Tensor  # [T, U]
    cell: Tensor  # [T, U]

    @property
    def kept(self) -> dict[str, Tensor]:
        """What later moments go by, by what there are several of."""
        memory = self.memory
        used = torch.cat([memory.usage[:, None], memory.looked], 1).mT
        return {
            "slots": torch.cat([memory.slots, used], -1),  # [T, M, W + 1 + H]
            "keys": self.keys,
            "reads": self.found.unflatten(1, (self.keys.shape[1], -1)),
            "units": torch.stack([self.hidden, self.cell], -1),
        }

    def each(self, times: int) -> "State":
        """As many copies of every task's, one after the other."""
        memory, *rest = self
        memory = Memory(*(one.repeat_interleave(times, 0) for one in memory))
        return State(memory, *(one.repeat_interleave(times, 0) for one in rest))


class Told(NamedTuple):
    outputs: Tensor  # [T, L, A]
    states: list[State]  # before the first moment and after each


def access(
    memory: Memory, content: Tensor, keys: Tensor, gates: Tensor, *, decay: float, sharpness: float
) -> Memory:
    """Writes content [T, H, W] by gates sigmoid(alpha) [T, H, 1], then looks for keys [T, H, K]."""
    least = memory.usage.topk(keys.shape[1], largest=False).indices  # [T, H]
    unused = F.one_hot(least, memory.usage.shape[1]).to(keys.dtype)  # w_lu [T, H, M]
    written = unused.lerp(memory.looked, gates)
    kept = 1 - unused.sum(1)
    slots = torch.baddbmm(memory.slots * kept[..., None], written.mT, content)
    named = F.normalize(slots[..., : keys.shape[-1]], dim=-1, eps=SMALLEST)
    looked = (sharpness * F.normalize(keys, dim=-1, eps=SMALLEST) @ named.mT).softmax(-1)
    usage = decay * memory.usage + (looked + written).detach().sum(1)
    return Memory(slots, usage, looked, written, kept)


class Remembering(nn.Module):
    """Takes in examples one at a time, each with what was told of the one before.

    With `note` 0 a slot is the key of the moment, as published. Else what is written is the key of
    the moment before and a note made now: an example beside its label, which has just come.
    """

    def __init__(
        self,
        features: int,
        answers: int,
        *,
        units: int,
        slots: int,
        key: int,
        note: int,
        heads: int,
        decay: float,
        sharpness: float,
    ) -> None:
        super().__init__()
        self.answers, self.units, self.slots, self.heads = answers, units, slots, heads
        self.key, self.note = key, note
        self.decay, self.sharpness = decay, sharpness
        self.inputs = nn.Linear(features + answers, 4 * units)
        self.recurrent = nn.Linear(units + heads * (key + note), 4 * units)
        self.look = nn.Linear(features, heads * key)
        self.emit = nn.Linear(units, heads * (1 + key + note))
        self.answer = nn.Linear(units + heads * (key + note), answers)

    def forward(self, features: Tensor, told: Tensor, state: State | None = None) -> Told:
        """Features [T, L, F], each with what was told of the one before [T, L, A]."""
        seen = F.layer_norm(features, features.shape[-1:])
        comes = self.inputs(torch.cat([seen, told * told.shape[-1] ** 0.5], -1))
        looks = self.look(seen).unflatten(-1, (self.heads, -1))
        states = [state or self.start(features)]
        for come, look in zip(comes.unbind(1), looks.unbind(1), strict=True):
            states.append(self.step(states[-1], come, look))
        after = [torch.cat([state.hidden, state.found], -1) for state in states[1:]]
        return Told(self.answer(torch.stack(after, 1)), states)

    def start(self, like: Tensor) -> State:
        """An empty memory for each of the tasks."""
        tasks, new, width = len(like), like.new_zeros, self.key + self.note
        usage = torch.linspace(0, FRESH, self.slots).to(like).expand(tasks, -1)
        nowhere = new(tasks, self.heads, self.slots)
        memory = Memory(new(tasks, self.slots, width), usage, nowhere, nowhere, 1 - nowhere[:, 0])
        keys, found = new(tasks, self.heads, self.key), new(tasks, self.heads * width)
        return State(memory, keys, found, new(tasks, self.units), new(tasks, self.units))

    def step(self, state: State, come: Tensor, look: Tensor) -> State:
        """A step of the LSTM, then one access to the memory."""
        gates = come + self.recurrent(torch.cat([state.hidden, state.found], -1))
        keep, take, show, new = gates.chunk(4, -1)
        cell = (keep + 1).sigmoid() * state.cell + take.sigmoid() * new.tanh()
        hidden = show.sigmoid() * cell.tanh()
        alpha, keys, note = (
            self.emit(hidden)
            .unflatten(-1, (self.heads, -1))
            .split((1, self.key, self.note), dim=-1)
        )
        keys = (keys + look).tanh()
        content = torch.cat([state.keys, note.tanh()], -1) if self.note else keys
        memory = access(
            state.memory,
            content,
            keys,
            alpha.sigmoid(),
            decay=self.decay,
            sharpness=self.sharpness,
        )
        return State(memory, keys, (memory.looked @ memory.slots).flatten(1), hidden, cell)


def origins(states: Sequence[State], *, late: bool) -> Tensor:
    """How much of each slot which example has written, after each of L moments: [T, L, M, L].

    `late` says that what is written at a moment is about the example before.
    """
    held = states[0].memory.usage.new_zeros(*states[0].memory.usage.shape, len(states) - 1)
    after = []
    for moment, state in enumerate(states[1:]):
        held = held * state.memory.kept[..., None]
        about = moment - late
        if about >= 0:
            held[..., about] += state.memory.written.sum(1)
        after.append(held)
    return torch.stack(after, 1)
