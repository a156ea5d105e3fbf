"""Small stand-ins for what a page talks to and a test machine has not: a Slurm and a store at `s3://`."""

from pathlib import Path

PROGRAMS, MODULES, STORE = ".programs", ".modules", ".store"

_SBATCH = """\
#!/bin/sh
# Like a queue with room for one job at a time: others wait, here for ever.
exec 9>{here}/lock
flock 9
n=$(($(ls {here} | grep -c '^job') + 1))
cp "$1" {here}/job-$n
if ! kill -0 "$(cat {here}/running 2>/dev/null)" 2>/dev/null; then
    setsid sh {here}/job-$n </dev/null >{here}/said-$n 2>&1 9>&- &
    echo $! | tee {here}/running >{here}/group-of-$n
fi
echo "Submitted batch job $n"
"""
_SCANCEL = """\
#!/bin/sh
[ ! -f {here}/group-of-$1 ] || kill -9 -- "-$(cat {here}/group-of-$1)" 2>/dev/null || true
"""
_STORE = """\
from fsspec.implementations.local import LocalFileSystem


class Store(LocalFileSystem):
    protocol = ("s3",)

    def __init__(self, **options):
        super().__init__(**{"auto_mkdir": True, **options})  # a store has no folders to make

    @classmethod
    def _strip_protocol(cls, path):
        path = str(path)
        if path.startswith("s3://"):
            path = {root!r} + "/" + path.removeprefix("s3://")
        return super()._strip_protocol(path)
"""


def slurm(folder: Path) -> None:
    """`sbatch` and `scancel` for the PATH: a job is a process group here."""
    here = folder / PROGRAMS
    here.mkdir()
    for name, text in (("sbatch", _SBATCH), ("scancel", _SCANCEL)):
        (here / name).write_text(text.replace("{here}", str(here)))
        (here / name).chmod(0o755)


def store(folder: Path) -> None:
    """A folder that fsspec finds under `s3://`, as a package that is installed."""
    modules, root = folder / MODULES, folder / STORE
    about = modules / "store_in_a_folder-1.dist-info"
    about.mkdir(parents=True)
    root.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: store-in-a-folder\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[fsspec.specs]\ns3 = store_in_a_folder:Store\n")
    text = _STORE.replace("{root!r}", repr(str(root)))
    (modules / "store_in_a_folder.py").write_text(text)
