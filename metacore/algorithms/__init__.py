"""Algorithms and their families by name. Adding one is one file and one entry here."""

from collections.abc import Iterable
from itertools import zip_longest

from metacore.algorithms.anil import ANIL
from metacore.algorithms.base import Algorithm
from metacore.algorithms.baselines import Finetune, Scratch
from metacore.algorithms.centroid import Centroid
from metacore.algorithms.distil import Distil, DistilClasses
from metacore.algorithms.families import FAMILIES
from metacore.algorithms.logistic import Logistic
from metacore.algorithms.maml import FOMAML, MAML
from metacore.algorithms.mamlpp import MAMLPlusPlus
from metacore.algorithms.matching import Matching
from metacore.algorithms.memory import MemoryAugmented
from metacore.algorithms.metasgd import MetaSGD
from metacore.algorithms.protonet import ProtoNet
from metacore.algorithms.reader import Reader
from metacore.algorithms.reptile import Reptile

ALGORITHMS: dict[str, type[Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (
        *(MAML, FOMAML, ANIL, Reptile, MetaSGD, MAMLPlusPlus),
        *(ProtoNet, Matching, Distil),
        *(Reader, MemoryAugmented),
        *(Scratch, Centroid, Finetune, Logistic, DistilClasses),
    )
}


def by_turns(names: Iterable[str]) -> list[str]:
    """The names (of algorithms) so that neighbours differ: the first of each family, the second…"""
    wanted = set(names)
    rows = [[n for n, a in ALGORITHMS.items() if a.family == f and n in wanted] for f in FAMILIES]
    return [name for turn in zip_longest(*rows) for name in turn if name]


__all__ = ["ALGORITHMS", "FAMILIES", "by_turns"]
