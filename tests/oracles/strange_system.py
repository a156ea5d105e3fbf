"""A file system of a stranger, which says of its files whatever it is told to."""

import fsspec
from fsspec.spec import AbstractFileSystem


class StrangeFileSystem(AbstractFileSystem):
    """Files by whatever names; writes go to a part of a file at a time, as over a network.

    Attributes:
        files: What there is, for all instances.
        asked: The names of the calls that change something, and of which paths.
        fails: Raised when a path that ends so is read or written, by that ending.
    """

    protocol = "strange"
    cachable = False
    files: dict[str, bytes] = {}  # noqa: RUF012
    asked: list[tuple[str, str]] = []  # noqa: RUF012
    fails: dict[str, Exception] = {}  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("strange://")

    @classmethod
    def holding(cls, files):
        """Begin anew with these files."""
        cls.files, cls.asked, cls.fails = dict(files), [], {}
        fsspec.register_implementation("strange", cls, clobber=True)
        return cls

    def find(self, path, maxdepth=None, withdirs=False, detail=False, **kwargs):
        # Also of files beside it, as nobody should answer.
        found = {
            name: {"name": name, "size": len(content), "type": "file"}
            for name, content in self.files.items()
        }
        return found if detail else sorted(found)

    def ls(self, path, detail=True, **kwargs):
        found = {name for name in self.files if name.startswith(f"{path}/")}
        names = sorted({f"{path}/{name[len(path) + 1 :].split('/')[0]}" for name in found})
        if not names:
            raise FileNotFoundError(path)
        return [{"name": name} for name in names] if detail else names

    def get_file(self, rpath, lpath, **kwargs):
        self._fail(rpath)
        with open(lpath, "wb") as file:
            file.write(self.files[rpath])

    def cat_file(self, path, start=None, end=None, **kwargs):
        self._fail(path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        self.asked.append(("write", path))
        self.files[path] = value[: len(value) // 2]
        self._fail(path)
        self.files[path] = value

    def put_file(self, lpath, rpath, **kwargs):
        with open(lpath, "rb") as file:
            self.pipe_file(rpath, file.read())

    def mv(self, path1, path2, **kwargs):
        self.asked.append(("rename", path2))
        self._fail(path2)
        self.files[path2] = self.files.pop(path1)

    def rm_file(self, path):
        self.asked.append(("remove", path))
        del self.files[path]

    def makedirs(self, path, exist_ok=False):
        pass

    def _fail(self, path):
        for ending, error in self.fails.items():
            if path.endswith(ending):
                raise error
