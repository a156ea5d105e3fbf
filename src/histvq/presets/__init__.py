"""Named settings, a TOML file each."""

from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from histvq.errors import ConfigError, FileFormatError, did_you_mean
from histvq.reading import read_toml


class MethodSettings(BaseModel, frozen=True, extra="allow"):
    """A method's name and, beside it, its parameters."""

    name: str


class Preset(BaseModel, frozen=True, extra="forbid"):
    """Named settings: what a TOML file in `presets/` says.

    Attributes:
        description: What it is for, in a sentence.
        method: `name` and the method's parameters.
        dataset: Which dataset it was made for, or which several (`name`); empty for any data.
        scale: `full`, the published size, or `fast`, made light; empty where one serves for both.
        variant: What sets it apart from the other presets of its method, dataset and scale, as `clean`.
    """

    description: str
    scale: Literal["full", "fast", ""] = ""
    variant: str = ""
    method: MethodSettings
    dataset: dict[str, Any] = Field(default_factory=dict)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets it was made for."""
        name = self.dataset.get("name", ())
        return (name,) if isinstance(name, str) else tuple(name)


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    files = resources.files("histvq.presets").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load_preset(name: str | Path) -> Preset:
    """A preset by name, or from a TOML file of one's own.

    Raises:
        ConfigError: If there is no such preset, or the file does not say what a preset must.
    """
    if str(name).endswith(".toml"):
        if not Path(name).is_file():
            raise ConfigError(f"preset {name}: there is no such file")
        place = Path(name)
    elif name in (known := preset_names()):
        place = Path(str(resources.files("histvq.presets") / f"{name}.toml"))
    else:
        raise ConfigError(f"no preset is called {str(name)!r}{did_you_mean(str(name), known)}")
    try:
        return Preset.model_validate(read_toml(place))
    except (FileFormatError, ValidationError) as error:
        raise ConfigError(f"preset {name}: {error}") from error
