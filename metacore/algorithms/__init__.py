"""Algorithms by name. Adding one is one file and one entry here."""

from metacore.algorithms.anil import ANIL
from metacore.algorithms.base import Algorithm
from metacore.algorithms.baselines import Finetune, Scratch
from metacore.algorithms.maml import FOMAML, MAML
from metacore.algorithms.matching import Matching
from metacore.algorithms.protonet import ProtoNet
from metacore.algorithms.reptile import Reptile

ALGORITHMS: dict[str, type[Algorithm]] = {
    algorithm.name: algorithm
    for algorithm in (MAML, FOMAML, ANIL, Reptile, ProtoNet, Matching, Finetune, Scratch)
}

__all__ = ["ALGORITHMS"]
