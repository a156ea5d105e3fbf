"""All that changes while training, kept and taken back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from histvq.errors import DamagedCheckpoint, Stopped, TrainingError
from histvq.resuming.checkpoint import Checkpoint, Stateful, broken
from histvq.resuming.stopping import Noted, stops_noted


class Keeper:
    """Keeps all that changes while training, where it is to be kept, and takes it back."""

    def __init__(
        self,
        parts: Mapping[str, Stateful],
        generator: torch.Generator,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.parts = parts
        self.generator = generator
        self.checkpoint = checkpoint
        self.noted = Noted()

    def take_back(self) -> bool:
        """Put everything as it was when it was kept; whether it was."""
        if self.checkpoint is None or self.checkpoint.state is None:
            return False
        state = self.checkpoint.state
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            self.generator.set_state(state["generator"])
            _set_luck(state["luck"])
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DamagedCheckpoint(
                f"{self.checkpoint.place}: a damaged checkpoint ({error}); delete it to begin anew"
            ) from error
        return True

    def remembered(self) -> Callable[[], None]:
        """Remember all that a step changes until the optimiser moves; the result puts it back."""
        network = self.parts["network"]
        assert isinstance(network, nn.Module)
        buffers = {name: value.clone() for name, value in network.named_buffers()}
        others = {
            name: part.state_dict()
            for name, part in self.parts.items()
            if name not in ("network", "optimizer", "course")
        }
        luck, own = _luck(), self.generator.get_state()

        def put_back() -> None:
            network.load_state_dict(buffers, strict=False)
            for name, state in others.items():
                self.parts[name].load_state_dict(state)
            self.generator.set_state(own)
            _set_luck(luck)

        return put_back

    @contextmanager
    def stops_noted(self) -> Iterator[None]:
        """While this lasts, signals to stop are noted where there is something to keep."""
        if self.checkpoint is None:
            yield
            return
        with stops_noted() as self.noted:
            yield

    def keep(self, where: str, *, at_once: bool = False) -> None:
        """Keep everything if it is time, or somebody asked to stop; in that case, stop.

        Args:
            where: How far the training has come, in words.
            at_once: It is time.

        Raises:
            TrainingError: If what was learned is no longer finite. What was kept before stays.
            Stopped: If somebody asked to stop.
        """
        if not (at_once or self.noted.signal or (self.checkpoint and self.checkpoint.is_due)):
            return
        state = {name: part.state_dict() for name, part in self.parts.items()}
        if lost := list(broken(state["network"])):
            raise TrainingError(
                f"{where}: what was learned is no longer made of finite numbers ({', '.join(lost[:5])}); "
                "lower learning_rate, or use input_scale='quantity'"
            )
        if self.checkpoint is None:
            return
        kept = self.checkpoint.keep(
            {**state, "generator": self.generator.get_state(), "luck": _luck()}
        )
        if self.noted.signal:
            means = (
                "kept, and goes on if the same is done again"
                if kept
                else "lost: it could not be kept"
            )
            raise Stopped(f"stopped {where}; the training is {means}", signal=self.noted.signal)


def _luck() -> tuple[Tensor, Tensor | None]:
    """The state of torch's global generators, of the CPU and of the GPU if that is used."""
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.get_rng_state(), torch.cuda.get_rng_state() if on_gpu else None


def _set_luck(luck: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(luck[0])
    if luck[1] is not None:
        torch.cuda.set_rng_state(luck[1])
