"""What PyTorch adapters share: the device, the epoch loop, state and restore. Light until used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from benchmark.modelkit.dot_product import DotProduct
from benchmark.modelkit.pace import Pace
from benchmark.protocol import Array, FitContext, Ids, Interactions, Scores

if TYPE_CHECKING:
    from torch import Generator, nn


class TorchTraining(ABC):
    """A model that PyTorch trains batch by batch, so that a step may be smaller than a pass.

    A subclass is a dataclass with the field ``max_epochs``. It builds a network, trains it, and keeps
    after each step whatever its scores are made from.
    """

    max_epochs: int
    streams: ClassVar[bool] = True
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    requires: ClassVar[tuple[str, ...]] = ("torch",)

    @staticmethod
    def open_device(context: FitContext) -> None:
        """Make the device ready before the clock starts: threads of the slot, the CUDA context."""
        import torch

        torch.set_num_threads(context.threads)
        if context.device == "cuda":
            torch.ones((2, 2), device="cuda").cholesky_inverse()  # loads the linear algebra libraries too
            torch.cuda.synchronize()

    @abstractmethod
    def untrained(self, train: Interactions, device: str) -> nn.Module:
        """Return the network with its initial weights.

        The caller seeds them and moves them to the device; ``device`` is for constants that are no weights.
        """

    @abstractmethod
    def epochs(self, network: Any, train: Interactions, generator: Generator, pace: Pace) -> Iterator[int]:
        """Train for ever; yield after each step the rows of the log that it trained.

        Args:
            network: what ``untrained`` returned, on the device.
            train: the log.
            generator: the only source of randomness; its device is the device.
            pace: where a pass is cut into steps.
        """

    @abstractmethod
    def keep(self, network: Any) -> None:
        """Keep what scores are made from; called after each step, without gradients."""

    def fit_steps(self, train: Interactions, context: FitContext) -> Iterator[int]:
        """Train ``max_epochs`` passes."""
        import torch

        from adapters.torch.training import build_seeded, generator

        network = build_seeded(lambda: self.untrained(train, context.device), context)
        pace = Pace.of(train, context)
        steps = self.epochs(network, train, generator(context), pace)
        for rows in pace.passes(steps, self.max_epochs):
            with torch.no_grad():
                self.keep(network)
            yield rows


class TorchModel(TorchTraining):
    """A model that its own network serves.

    Its network has embeddings ``users`` and ``items``, from which ``restore`` learns how many there are, and
    a method ``score``: users (B,) to scores (B, I).
    """

    _network: Any

    @abstractmethod
    def network(self, n_users: int, n_items: int) -> nn.Module:
        """Return the network with its initial weights."""

    def untrained(self, train: Interactions, device: str) -> nn.Module:  # noqa: ARG002 (others need it)
        """Return the network for the users and items of the log."""
        return self.network(train.n_users, train.n_items)

    def keep(self, network: Any) -> None:
        """Keep the network itself."""
        self._network = network

    def score(self, users: Ids) -> Scores:
        """Return the scores (B, I) of all items."""
        import torch

        device = next(self._network.parameters()).device
        with torch.no_grad():
            scores: Scores = self._network.score(torch.tensor(users, device=device)).cpu().numpy()
        return scores

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of their layers."""
        from adapters.torch.training import state_arrays

        return state_arrays(self._network)

    def restore(self, state: dict[str, Array]) -> None:
        """Rebuild the network on the CPU."""
        from adapters.torch.training import load_state

        self._network = self.network(len(state["users.weight"]), len(state["items.weight"]))
        load_state(self._network, state)


class TorchDotProduct(DotProduct, TorchTraining):
    """A model that numpy serves by dot products: its network, called, returns vectors (U, D) and (I, D)."""

    def keep(self, network: Any) -> None:
        """Keep the vectors of all users and items."""
        self._users, self._items = (vectors.cpu().numpy() for vectors in network())
