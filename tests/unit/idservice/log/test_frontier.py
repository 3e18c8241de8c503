"""The growing root equals the root over the same leaves, at every size."""

from idservice.log.frontier import Frontier
from keys.merkle import EMPTY_ROOT, leaf_hash, root


def test_the_root_at_every_size() -> None:
    leaves = [leaf_hash(bytes([number % 256])) for number in range(300)]
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    for size, leaf in enumerate(leaves, start=1):
        frontier.append(leaf)
        assert frontier.size == size
        assert frontier.root() == root(leaves[:size]), size
