"""The addressing of a memory against an example worked out by hand."""

import math

import pytest
import torch

from metacore.models.remembering import Memory, State, access, origins

# Three slots of two numbers; usage halves at every moment. With a sharpness of log 3 a slot that
# resembles the key (cosine 1) gets three times the weight of one that does not (cosine 0).
#
# 1. k = (1, 0), gate 0: all goes to the least used slot, 0.        w_w = (1, 0, 0)
#    M = (1, 0) (0, 0) (0, 0), cosines 1, 0, 0                      w_r = (3, 1, 1) / 5
#    usage: half of (0, 0.1, 0.2), + w_r + w_w                      w_u = (1.6, 0.25, 0.3)
# 2. k = (0, 2), gate 0: slot 1.                                    w_w = (0, 1, 0)
#    M = (1, 0) (0, 2) (0, 0), cosines 0, 1, 0                      w_r = (1, 3, 1) / 5
#    half of (1.6, 0.25, 0.3), + w_r + w_w                          w_u = (1.0, 1.725, 0.35)
# 3. k = (3, 0), gate 1/4: a quarter to where it looked last, the rest to slot 2.
#                                                                   w_w = (0.05, 0.15, 0.8)
#    M = (1.15, 0) (0.45, 2) (2.4, 0); |(0.45, 2)| = 2.05, so the cosines are 1, 9/41, 1
#    w_r = (3, 3^(9/41), 3) / (6 + 3^(9/41)), 3^(9/41) = 1.27273    w_r = (0.4125, 0.175, 0.4125)
#    half of (1.0, 1.725, 0.35), + w_r + w_w                        w_u = (0.9625, 1.1875, 1.3875)
# 4. k = (0, 1), gate 1/2: slot 0 is the least used and is erased.  w_w = (0.70625, 0.0875, 0.20625)
#    M = (0, 0.70625) (0.45, 2.0875) (2.4, 0.20625)
WRITES = [((1.0, 0.0), 0.0), ((0.0, 2.0), 0.0), ((3.0, 0.0), 0.25), ((0.0, 1.0), 0.5)]
SLOTS = [
    [[1, 0], [0, 0], [0, 0]],
    [[1, 0], [0, 2], [0, 0]],
    [[1.15, 0], [0.45, 2], [2.4, 0]],
    [[0, 0.70625], [0.45, 2.0875], [2.4, 0.20625]],
]
LOOKED = [[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.4125, 0.175, 0.4125]]
WRITTEN = [[1, 0, 0], [0, 1, 0], [0.05, 0.15, 0.8], [0.70625, 0.0875, 0.20625]]
USAGE = [[1.6, 0.25, 0.3], [1.0, 1.725, 0.35], [0.9625, 1.1875, 1.3875]]


def worked() -> list[Memory]:
    """The memory before the first write and after each."""
    nowhere, usage = torch.zeros(1, 1, 3), torch.tensor([[0.0, 0.1, 0.2]])
    memories = [Memory(torch.zeros(1, 3, 2), usage, nowhere, nowhere, torch.ones(1, 3))]
    for key, gate in WRITES:
        k, g = torch.tensor([[key]]), torch.tensor([[[gate]]])
        memories.append(access(memories[-1], k, k, g, decay=0.5, sharpness=math.log(3)))
    return memories


@pytest.mark.parametrize("number", range(len(WRITES)))
def test_a_memory_is_written_as_worked_out_by_hand(number: int) -> None:
    memory = worked()[number + 1]
    assert torch.allclose(memory.written[0, 0], torch.tensor(WRITTEN[number]).float(), atol=2e-5)
    assert torch.allclose(memory.slots[0], torch.tensor(SLOTS[number]).float(), atol=2e-5)


@pytest.mark.parametrize("number", range(len(LOOKED)))
def test_a_memory_is_read_and_its_usage_kept_as_worked_out_by_hand(number: int) -> None:
    memory = worked()[number + 1]
    assert torch.allclose(memory.looked[0, 0], torch.tensor(LOOKED[number]), atol=2e-5)
    assert torch.allclose(memory.usage[0], torch.tensor(USAGE[number]), atol=4e-5)


def test_each_head_has_a_least_used_slot_of_its_own() -> None:
    nowhere, usage = torch.zeros(1, 2, 3), torch.tensor([[0.3, 0.1, 0.2]])
    memory = Memory(torch.ones(1, 3, 2), usage, nowhere, nowhere, torch.ones(1, 3))
    keys = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    found = access(memory, keys, keys, torch.zeros(1, 2, 1), decay=1.0, sharpness=1.0)
    assert found.slots[0].tolist() == [[1, 1], [1, 0], [0, 1]]  # both were erased before


def test_it_is_known_who_wrote_what_a_slot_holds() -> None:
    none = torch.zeros(1, 0)
    states = [State(memory, none, none, none, none) for memory in worked()]
    held = origins(states, late=False)
    third = [[1, 0, 0.05, 0], [0, 1, 0.15, 0], [0, 0, 0.8, 0]]
    assert torch.allclose(held[0, 2], torch.tensor(third), atol=2e-5)
    assert torch.allclose(held[0, 3, 0], torch.tensor([0, 0, 0, 0.70625]), atol=2e-5)
    late = origins(states, late=True)
    assert torch.allclose(late[0, :, :, :-1], held[0, :, :, 1:], atol=2e-5)
