"""The embedded model: a tiny Llama and its tokenizer, made here in seconds, for machines without network and GPU.

It is honest about being tiny. Its tokenizer and its first weights come from generated texts of the train side alone
(time and template families of validation and test are never seen): data and the report on them as one plain text,
without the question and the marks of a talk. The same sources give the same weights on one machine; they wait in a
user cache under a key of their content.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

from generators.config import Config, code_digest
from generators.make import Maker
from generators.produce import places, prepare
from generators.registry import resolve_weights
from market.tape import load
from tapewright.errors import FileError
from tapewright.rows import Row

SEED, ROWS = 2_147, 1_000  # a stream of its own: no row of a user's run comes out of it
SPLITS = (("train", 0.8), ("val", 0.04), ("test", 0.16))
VOCABULARY, WIDTH, LAYERS, HEADS, INNER, LONGEST = 6_144, 128, 2, 4, 384, 2_048
STEPS, ROWS_PER_STEP, BLOCK, RATE = 250, 3, 512, 3e-3
THREADS = 1  # sums of floats depend on how many share them; more hardly help a model this small
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ message['content'] + '<|end|>' }}"
    "{% else %}{{ '<|user|>' + message['content'] + '<|answer|>' }}{% endif %}{% endfor %}"
)


def cache_folder() -> Path:
    """Where made models wait: TAPEWRIGHT_CACHE, or the user's cache."""
    named = os.environ.get("TAPEWRIGHT_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tapewright"


def embedded_folder() -> Path:
    """The folder of the embedded model, made on first use. Raises FileError where the cache cannot be written."""
    folder = cache_folder() / f"embedded-{_key()}"
    if (folder / "config.json").is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".embedded-") as made:
            part = Path(made) / "model"
            build(part)
            if not folder.exists():
                os.rename(part, folder)
    except OSError as error:
        if (folder / "config.json").is_file():  # another run was faster
            return folder
        raise FileError(f"cannot write {folder.parent}: {error.strerror or error}; name a folder in TAPEWRIGHT_CACHE") from error  # fmt: skip
    return folder


def is_embedded(source: str) -> bool:
    """Whether a folder holds the embedded model or a copy of it."""
    return (Path(source) / "EMBEDDED").is_file()


def copy_embedded(target: Path) -> Path:
    """The embedded model as a folder of its own, e.g. beside the adapters trained on it."""
    shutil.copytree(embedded_folder(), target, dirs_exist_ok=True)
    return target


def rows(count: int = ROWS) -> Iterator[Row]:
    """Generated rows of the train side, each task by its weight."""
    config = Config(size=count, seed=SEED, weights=tuple(resolve_weights(None).items()), splits=SPLITS)
    tape = load("bundled")
    config, splits = prepare(config, tape)
    maker = Maker(config, tape, splits)
    for place in places(config):
        if place[1] == "train":
            yield maker.make(*place).row


def build(folder: Path) -> None:
    """Make tokenizer and weights and save both to `folder`."""
    from finetune.pretrain import new_model, new_tokenizer, pretrain

    made = list(rows())
    texts = [f"{row.input}\n\n{row.output}".strip() for row in made]
    tokenizer = new_tokenizer([*texts, *(row.instruction for row in made)], VOCABULARY, TEMPLATE)
    model: Any = new_model(tokenizer, WIDTH, LAYERS, HEADS, INNER, LONGEST, SEED)
    pretrain(model, tokenizer, texts, STEPS, ROWS_PER_STEP, BLOCK, RATE, SEED, THREADS)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "EMBEDDED").write_text("made by Tapewright from generated text; tiny, for trying things out\n")


def _key() -> str:
    import tokenizers
    import torch
    import transformers

    digest = blake2b(digest_size=8)
    for name in ("embedded.py", "pretrain.py"):
        digest.update((Path(__file__).parent / name).read_bytes())
    versions = (torch.__version__, transformers.__version__, tokenizers.__version__)
    digest.update("/".join((code_digest(), *versions)).encode())
    return digest.hexdigest()
