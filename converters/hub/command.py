"""What `push` and `pull` do once their options are parsed."""

import os
import sys
from pathlib import Path

from converters.hub.card import Wishes
from converters.hub.push import (
    CARD,
    Options,
    Package,
    fingerprint,
    is_there,
    packed,
    plan_changes,
    push,
    refuse_publishing,
)
from converters.hub.repository import Hub, Target, connect, read_state
from tapewright.errors import ConfigError
from tapewright.inputs import expand
from tapewright.shapes import SHAPES
from validators.dataset import load_rules

SMALL = 8 * 2**20  # bytes below which starting processes takes longer than the check


def run_push(
    names: tuple[str, ...], *, repo: str, private: bool, pull_request: bool, revision: str, dry_run: bool, force: bool, overwrite: bool,
    title: str, license: str, language: str, shape: str, tape: str, shard_mb: int, token_stdin: bool, workers: int,
) -> None:  # fmt: skip
    """Check, write and commit a dataset, or with `dry_run` say what would be done; the commit's address goes to stdout."""
    target = Target(repo, revision=revision)
    if pull_request and revision:
        raise ConfigError("--pr opens a pull request against main; to go on with one, give --revision refs/pr/N without --pr")  # fmt: skip
    if shape and shape not in SHAPES:
        raise ConfigError(f"no shape {shape!r}; known: {', '.join(SHAPES)}")
    if shard_mb < 1:
        raise ConfigError(f"shard size is {shard_mb} MB; make it 1 at least")
    hub = connect(token_stdin=token_stdin)
    if not hub.token and not dry_run:
        raise ConfigError(
            "there is no token: log in with `hf auth login`, or give one in HF_TOKEN or with --token-stdin"
        )
    files = expand(names)
    if "-" in files:
        raise ConfigError("files are read more than once, which stdin does not allow; write it to a file first")
    wishes = Wishes(title, license, language, force)
    options = Options(shape, tape, shard_mb * 2**20, _count_workers(workers, files), wishes)
    load_rules()
    inputs = fingerprint(files, target.name, options)
    if not dry_run and is_there(hub, target, inputs):
        _say(f"{target} holds exactly this already; no commit was made")
        return
    with packed(files, target.name, hub.token, options, inputs, _say) as package:
        if dry_run:
            _show(hub, target, package, private=private, overwrite=overwrite)
            return
        outcome = push(hub, target, package, private=private, pull_request=pull_request, overwrite=overwrite, say=_say)
    if outcome.created:
        _say(f"{target.name} was created, {'private' if private else 'public'}")
    if not outcome.made:
        _say(f"{target} holds exactly this already; no commit was made")
        return
    _say(f"{package.rows:,} rows pushed to {target} in {len(package.shards)} Parquet files")
    sys.stdout.write((outcome.pull_request or outcome.url) + "\n")


def run_pull(repo: str, *, output: Path | None, revision: str, token_stdin: bool) -> None:
    """Fetch a dataset, verify it and write its rows."""
    from converters.hub.pull import pull

    target = Target(repo, revision=revision)
    output = output or Path("datasets") / f"{repo.partition('/')[2]}.jsonl"
    state, made = pull(connect(token_stdin=token_stdin), target, output)
    for one in made:
        _say(f"{one.path}: {one.rows:,} rows, sha256 {one.sha256}" + (f", the same bytes as {one.same_as}" if one.same_as else ""))  # fmt: skip
    _say(
        f"{sum(one.rows for one in made):,} rows of {target}, commit {state.head[:12]}; every file is what its manifest says"
    )


def _show(hub: Hub, target: Target, package: Package, *, private: bool, overwrite: bool) -> None:
    """What a push would do, on stderr; the card on stdout."""
    state = read_state(hub, target)
    refuse_publishing(target, state, private)
    plan_changes(hub, target, package, state, overwrite=overwrite)
    if not state.head:
        _say(f"{target.name} would be created, {'private' if private else 'public'}")
    missing = set(package.wanted.missing(state))
    sizes = {shard.path: f", {shard.rows:,} rows, {shard.size:,} bytes" for shard in package.shards}
    for path in sorted(package.wanted.digests):
        what = ("change" if path in state.files else "add") if path in missing else "leave"
        _say(f"{what} {path}{sizes.get(path, '')}")
    for path in package.wanted.leftover(state):
        _say(f"remove {path}")
    _say(
        "nothing would be committed"
        if package.wanted.is_there(state)
        else f"one commit would be made; {CARD} is on stdout"
    )
    sys.stdout.write(package.card)


def _count_workers(asked: int, names: list[str]) -> int:
    if asked < 0:
        raise ConfigError(f"workers is {asked}; use 0 for one per core")
    if asked:
        return asked
    size = sum(Path(name).stat().st_size for name in names if Path(name).is_file())
    return os.cpu_count() or 1 if size > SMALL else 1


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
