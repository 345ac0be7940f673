"""Exports read by the clients they are meant for: each client's own code, in an environment of its own.

`python -m benchmarks.check_exports --rows 1000` generates so many rows of each task, as answers and as pairs, converts
them into every format, and runs the client's checker, converter or trainer on the file. It prints a table, writes it
with its date to docs/exports.md (`--write`), and fails when a client refuses, empties or drops a row.

An environment is made once per set of packages and kept under build/clients.
"""

import argparse
import datetime
import json
import subprocess
import sys
import venv
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from converters.convert import Options, convert
from converters.formats import PREFERENCE, UNPAIRED, formats
from generators.config import Config
from generators.produce import produce
from templates.specs import list_tasks

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "exports.md"
BUILD = ROOT / "build" / "clients"
SEED = 2026
_TRAINERS = (
    "torch==2.13.0", "transformers==5.23.0", "trl==1.16.0", "peft==0.21.2", "accelerate==1.15.0", "datasets==5.2.0", "pyyaml", "addict",
    "colorama",
)  # fmt: skip


class Client(NamedTuple):
    """A client's script, what it is called, what its environment holds, and the formats it reads."""

    script: str
    title: str
    packages: tuple[str, ...]
    alone: tuple[str, ...]  # installed without what they depend on, which would be gigabytes
    formats: tuple[str, ...]


CLIENTS = (
    Client("together_client", "together 1.5.35, check_file", ("together==1.5.35", "pyarrow"), (), ("together", "together-dpo")),
    Client("mistral_client", "mistral-common 1.13.1, fine-tuning validator", ("mistral-common==1.13.1",), (), ("mistral",)),
    Client("gemini_client", "google-genai 3.4, types", ("google-genai==3.4.0",), (), ("gemini",)),
    Client("openai_client", "openai 3.54, types and cookbook rules", ("openai==3.54.0",), (), ("openai", "openai-dpo", "together", "together-dpo")),
    Client("llama_factory_client", "LLaMA-Factory 0.9.5, converters", _TRAINERS, ("llamafactory==0.9.5", "axolotl==0.19.0"),
           ("llama-factory", "llama-factory-sharegpt", "llama-factory-dpo", "llama-factory-kto")),
    Client("axolotl_client", "axolotl 0.19, prompt strategies", _TRAINERS, ("llamafactory==0.9.5", "axolotl==0.19.0"), ("axolotl", "axolotl-dpo", "axolotl-kto")),
    Client("trl_client", "TRL 1.16, its trainers and one step", _TRAINERS, ("llamafactory==0.9.5", "axolotl==0.19.0"),
           ("trl", "trl-prompt-completion", "trl-preference", "trl-preference-text", "trl-unpaired", "trl-prompts")),
    Client("datasets_client", "datasets 5.2, load_dataset", _TRAINERS, ("llamafactory==0.9.5", "axolotl==0.19.0"),
           ("alpaca", "sharegpt", "instruction-response", "text", "chatml", "autotrain", "csv", "parquet")),
)  # fmt: skip


class Outcome(NamedTuple):
    """What one client made of one format: rows given (pairs count twice where answers are labelled), rows taken."""

    client: str
    format: str
    given: int
    accepted: int
    why: str


def environment(packages: tuple[str, ...], alone: tuple[str, ...]) -> Path:
    """The Python of an environment with these packages, made if it is not there."""
    key = blake2b("\n".join((*packages, "--", *alone)).encode(), digest_size=6).hexdigest()
    folder = BUILD / key
    python = folder / "bin" / "python"
    if not (folder / "whole").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        for options in ([p for p in packages if p.startswith("torch==")], list(packages), ["--no-deps", *alone] if alone else []):  # fmt: skip
            if options:
                subprocess.run([*pip, *options], check=True)
        (folder / "whole").touch()
    return python


def export(rows: int, folder: Path) -> dict[str, tuple[Path, int]]:
    """Format → (file, rows in it), made of `rows` rows of each task."""
    tasks = list_tasks()
    weights = tuple((task, 1 / len(tasks)) for task in tasks)
    sources = {}
    for shape in ("alpaca", "preference"):
        sources[shape] = folder / f"rows-{shape}.jsonl"
        produce(
            Config(size=rows * len(tasks), seed=SEED, weights=weights, shape=shape),
            sources[shape],
            workers=2,
            force=True,
        )
    made = {}
    for name, form in formats().items():
        shape = "preference" if form.kind in (PREFERENCE, UNPAIRED) else "alpaca"
        target = folder / name / f"rows{form.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        account = convert([str(sources[shape])], target, Options(name))
        if account.left:
            raise SystemExit(f"{name}: {dict(account.left)}")
        made[name] = target, account.records
    return made


def run(client: Client, name: str, path: Path, given: int) -> Outcome:
    """Let the client read one file."""
    python = environment(client.packages, client.alone)
    script = ROOT / "benchmarks" / "clients" / f"{client.script}.py"
    found = subprocess.run([str(python), str(script), str(path), name], capture_output=True, text=True)
    lines = found.stdout.strip().splitlines()
    try:
        said = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return Outcome(client.title, name, given, 0, (found.stderr.strip().splitlines() or ["said nothing"])[-1])
    return Outcome(client.title, name, given, said["accepted"], said["why"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000, help="rows of each task")
    parser.add_argument("--client", default="", help="only scripts whose name begins so")
    parser.add_argument("--write", action="store_true", help="write docs/exports.md")
    options = parser.parse_args()
    folder = BUILD / f"rows-{options.rows}"
    folder.mkdir(parents=True, exist_ok=True)
    made = export(options.rows, folder)
    outcomes = []
    for client in CLIENTS:
        if client.script.startswith(options.client):
            for name in client.formats:
                outcomes.append(run(client, name, *made[name]))
                print(_line(outcomes[-1]), flush=True)
    if options.write:
        PAGE.write_text(_page(outcomes, options.rows, sorted(set(made) - {name for client in CLIENTS for name in client.formats})), encoding="utf-8")  # fmt: skip
    bad = [outcome for outcome in outcomes if outcome.accepted != outcome.given]
    for outcome in bad:
        print(f"{outcome.client} does not take {outcome.format} whole: {outcome.why}", file=sys.stderr)
    return 1 if bad else 0


def _line(outcome: Outcome) -> str:
    return f"| {outcome.client} | `{outcome.format}` | {outcome.given:,} | {outcome.accepted:,} |"


def _page(outcomes: list[Outcome], rows: int, unread: list[str]) -> str:
    today = datetime.datetime.now(datetime.UTC).date()
    return "\n".join([
        "# Exports, read by their clients", "",
        f"{rows:,} rows of each of the {len(list_tasks())} tasks, seed {SEED}, as answers and as pairs; `make check-exports` on {today}. Each client's",
        "own code read the file in an environment of its own; a pair counts twice where answers are labelled one by one.", "",
        "| client | format | rows | accepted |", "|---|---|---:|---:|", *map(_line, outcomes), "",
        f"No code of a client that runs offline was found for {', '.join(f'`{name}`' for name in unread)}: these are held to their documented rules by the converter alone.", "",
    ])  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
