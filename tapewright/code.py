"""What code is at work: a digest over the sources and wordings of some rooms."""

import functools
import hashlib
import importlib.util
from pathlib import Path


@functools.cache
def digest_of_code(*rooms: str) -> str:
    """Hex sha256 of every Python, Jinja and TOML file of these rooms, with their paths."""
    digest = hashlib.sha256()
    for room in rooms:
        spec = importlib.util.find_spec(room)  # in a wheel the rooms do not lie beside this one
        assert spec is not None and spec.submodule_search_locations is not None
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".j2", ".toml"):
                digest.update(path.relative_to(folder.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
