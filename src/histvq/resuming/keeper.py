"""All that changes while training, kept and taken back."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from warnings import warn

import torch
from torch import Tensor, nn

from histvq.errors import DamagedCheckpoint, DataWarning, ProcessLost, Stopped, TrainingError
from histvq.nn.peers import peers
from histvq.resuming.checkpoint import Checkpoint, Stateful, broken, digest_of_tensors
from histvq.resuming.stopping import SIGNALS, Noted, stops_noted
from histvq.resuming.telling import done_by_first, told_by_all, told_by_first


class Keeper:
    """Keeps all that changes while training, where it is to be kept, and takes it back.

    Of processes that train together the first keeps it, for all have the same.
    """

    def __init__(
        self,
        parts: Mapping[str, Stateful],
        generator: torch.Generator,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.parts = parts
        self.generator = generator
        self.checkpoint = checkpoint
        self.is_kept = bool(told_by_first(checkpoint is not None))
        self.noted = Noted()

    def begin(self, start: Callable[[], None]) -> None:
        """Put everything as it was when it was kept; where it never was, start and keep that.

        The first process does it, and the others take over what it has.
        """

        def first() -> None:
            if self.checkpoint is not None and self.checkpoint.state is not None:
                self._take_back(self.checkpoint)
                return
            start()
            self._write("before the first epoch")

        done_by_first(first)
        self._follow()

    def _take_back(self, checkpoint: Checkpoint) -> None:
        try:
            self._take(checkpoint.state)
        except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise DamagedCheckpoint(
                f"{checkpoint.place}: a damaged checkpoint ({error}); delete it to begin anew"
            ) from error

    def _follow(self) -> None:
        """Take over what the first process has."""
        if peers().n > 1:
            self._take(told_by_first(self._state()))

    def _state(self) -> dict[str, Any]:
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        return {**parts, "generator": self.generator.get_state(), "luck": _luck()}

    def _take(self, state: Mapping[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.generator.set_state(state["generator"])
        _set_luck(state["luck"])

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
        if not self.is_kept:
            yield
            return
        with stops_noted() as self.noted:
            yield

    @contextmanager
    def kept_if_others_end(self, where: Callable[[], str]) -> Iterator[None]:
        """While this lasts, the end of another process is the time to keep everything."""
        try:
            yield
        except ProcessLost:
            self._write(where())
            raise

    def keep(self, where: str, *, at_once: bool = False) -> None:
        """Keep everything if it is time, or somebody asked to stop; in that case, stop.

        Args:
            where: How far the training has come, in words.
            at_once: It is time.

        Raises:
            TrainingError: If what was learned is no longer finite. What was kept before stays.
            Stopped: If somebody asked to stop.
        """
        due, asked = self._agreed()
        if not (at_once or asked or due):
            return
        self._see_that_all_agree()
        kept = self._write(where)
        if asked:
            means = (
                "kept, and goes on if the same is done again"
                if told_by_first(kept)
                else "lost: it could not be kept"
            )
            raise Stopped(f"stopped {where}; the training is {means}", signal=asked)

    def _agreed(self) -> tuple[bool, signal.Signals | None]:
        """Whether it is time by the first process's clock, and how any of them was asked to stop."""
        due = self.checkpoint is not None and self.checkpoint.is_due
        said = torch.tensor([due, *(self.noted.signal == one for one in SIGNALS)]).int()
        due, *asked = peers().summed(said).tolist()
        return bool(due), next((s for s, n in zip(SIGNALS, asked, strict=True) if n), None)

    def _see_that_all_agree(self) -> None:
        """Let no process drift away from the others, as unlike processors might round."""
        if peers().n == 1:
            return
        network = self.parts["network"].state_dict()
        if len(set(told_by_all(digest_of_tensors(network)))) > 1:
            warn(
                "what the processes have learned differs: their processors round in other ways. What the "
                "first one has is taken by all",
                DataWarning,
                stacklevel=3,
            )
            self._follow()

    def _write(self, where: str) -> bool:
        """Write everything where it is kept; whether that could be done."""
        state = self._state()
        if lost := list(broken(state["network"])):
            raise TrainingError(
                f"{where}: what was learned is no longer made of finite numbers ({', '.join(lost[:5])}); "
                "lower learning_rate, or use input_scale='quantity'"
            )
        return self.checkpoint is None or self.checkpoint.keep(state)


def _luck() -> tuple[Tensor, Tensor | None]:
    """The state of torch's global generators, of the CPU and of the GPU if that is used."""
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch.get_rng_state(), torch.cuda.get_rng_state() if on_gpu else None


def _set_luck(luck: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(luck[0])
    if luck[1] is not None:
        torch.cuda.set_rng_state(luck[1])
