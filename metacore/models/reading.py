"""A transformer that reads a support set: every token looks at the support tokens and at itself.

Queries never see each other, and without positions the order of the examples does not matter.

Axes: T tasks, S support examples, Q queries, N ways, F features, W numbers of a token, H heads.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

LEAST, MOST = -7.0, 5.0  # logarithms of the standard deviations it can answer with


@dataclass(frozen=True)
class Layer:
    """What there is after a layer, and what it would answer."""

    support: Tensor  # tokens [T, S, W]
    query: Tensor  # tokens [T, Q, W]
    outputs: Tensor  # logits [T, Q, N], or values [T, Q, 1]
    spread: Tensor | None = None  # standard deviations of values [T, Q, 1]
    attention: Tensor | None = None  # of queries to examples [T, H, Q, S]; none before the first


class Reading(nn.Module):
    """`slots` is how many labels it knows; 0 where labels are real numbers."""

    def __init__(self, features: int, width: int, layers: int, heads: int, slots: int) -> None:
        super().__init__()
        self.slots = slots
        self.embed = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, width))
        self.unknown = nn.Embedding(1, width)
        self.label: nn.Module
        if slots:
            self.label = nn.Embedding(slots, width)
        else:
            self.label = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, width))
            self.head = nn.Linear(width, 2)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, support: Tensor, labels: Tensor, query: Tensor, slots: Tensor) -> list[Layer]:
        """Before the first layer and after each.

        Examples and queries are embedded, [T, S, F] and [T, Q, F]; labels are places [T, S] in
        `slots` [T, N], or real numbers [T, S, 1].
        """
        s = self.embed(support) + self.label(slots.gather(1, labels) if self.slots else labels)
        q = self.embed(query) + self.unknown.weight[0]
        layers = [self._layer(s, q, slots, None)]
        for block in self.blocks:
            s, q, attention = block(s, q)
            layers.append(self._layer(s, q, slots, attention))
        return layers

    def _layer(self, s: Tensor, q: Tensor, slots: Tensor, attention: Tensor | None) -> Layer:
        said = self.norm(q)
        if self.slots:
            logits = said @ self.label(slots).mT / said.shape[-1] ** 0.5
            return Layer(s, q, logits, attention=attention)
        mean, log = self.head(said).split(1, dim=-1)
        return Layer(s, q, mean, spread=log.clamp(LEAST, MOST).exp(), attention=attention)


class Block(nn.Module):
    """Attention to the support set and to oneself, then two layers for each token alone."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_look, self.before_think = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, s: Tensor, q: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """New tokens, and the queries' attention to the examples [T, H, Q, S]."""
        wanted, keys, values = self._looks(s)
        attention = (wanted @ keys.mT).softmax(-1)
        asked, own_key, own_value = self._looks(q)
        to_itself = (asked * own_key).sum(-1, keepdim=True)
        both = torch.cat([asked @ keys.mT, to_itself], -1).softmax(-1)
        away, own = both[..., :-1], both[..., -1:]
        s = self._changed(s, attention @ values)
        q = self._changed(q, away @ values + own * own_value)
        return s, q, away

    def _looks(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What tokens [T, B, W] look for, are found by, and say: [T, H, B, W / H] each."""
        seen = self.look(self.before_look(tokens)).unflatten(-1, (3, self.heads, -1))
        wanted, keys, values = seen.permute(2, 0, 3, 1, 4)
        return wanted / wanted.shape[-1] ** 0.5, keys, values

    def _changed(self, tokens: Tensor, heard: Tensor) -> Tensor:
        tokens = tokens + self.merge(heard.transpose(1, 2).flatten(2))
        changed: Tensor = tokens + self.think(self.before_think(tokens))
        return changed
