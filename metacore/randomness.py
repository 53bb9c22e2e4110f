"""Every random choice is named by (seed, stream, step), so it can be made again anywhere.

Generators live on the CPU whatever the device: the same name gives the same episode on a laptop,
on a GPU and on every rank of a distributed run.
"""

import hashlib

import torch


def generator(seed: int, stream: str, step: int = 0) -> torch.Generator:
    name = f"{seed}/{stream}/{step}".encode()
    number = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
    return torch.Generator().manual_seed(number % 2**63)
