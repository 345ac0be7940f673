"""The command line: each command parses, makes one call and shows a report.

Data go to stdout or the file asked for; words, bars and tables to stderr. Exit codes: 0 clean,
1 findings, 2 usage, configuration or I/O, 3 internal error, 130 interrupted.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from finetune.options import finetune
from tapewright import __version__
from tapewright.errors import TapewrightError
from tapewright.parameters import Duration, Moment, Shares

SHOW_DEFAULT = {"show_default": True, "help_option_names": ["-h", "--help"]}


@click.group(context_settings=SHOW_DEFAULT)
@click.version_option(__version__, prog_name="tapewright")
def cli() -> None:
    """Training data for trading language models: every number can be recomputed."""


@cli.command()
@click.option("--size", "-n", default=10_000, help="Rows to write.")
@click.option("--seed", default=42, help="Seed; other seeds share no row.")
@click.option(
    "--tasks", type=Shares(), help="Tasks and shares that add up to 1, e.g. risk_assessment=0.6,market_analysis=0.4."
)
@click.option("--format", "shape", default="alpaca", type=click.Choice(["alpaca", "sharegpt", "preference", "instruction-response"]), help="Shape of the rows written.")  # fmt: skip
@click.option("--answer-format", default="text", type=click.Choice(["text", "json", "both"]), help="Answers as text, as JSON, or both.")  # fmt: skip
@click.option("--source", default="bundled", help="bundled, a Parquet or CSV file of candles, a snapshot, or bybit (fetched and frozen first).")  # fmt: skip
@click.option("--symbols", default="", help="Only these symbols, comma-separated.")
@click.option("--since", type=Moment(), default=None, help="First moment (UTC).")
@click.option("--until", type=Moment(), default=None, help="Last moment (UTC).")
@click.option("--split", "splits", type=Shares(), default=None, help="Splits kept apart in time and wording, e.g. train=0.8,val=0.1,test=0.1.")  # fmt: skip
@click.option("--hold-out", multiple=True, metavar="FAMILY", help="Template family to leave out; may be repeated.")
@click.option("--anonymize", default=0.4, metavar="SHARE", help="Share of market rows with aliased symbol, scaled prices and no date.")  # fmt: skip
@click.option("--natural", is_flag=True, help="Draw candles uniformly, as they come: most plans are then no trade.")
@click.option("--outcomes", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write what happened next to this JSONL sidecar; never part of a row.")  # fmt: skip
@click.option("--difficulty", default="mixed", type=click.Choice(["mixed", "easy", "hard"]), help="Easy: complete inputs only. Hard: more incomplete inputs and close calls.")  # fmt: skip
@click.option("--max-tokens", default=0, help="Redraw rows longer than this; 0 for no limit.")
@click.option(
    "--tokenizer", default="", help="tokenizer.json for --max-tokens; otherwise 3 characters count as a token."
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), default=None, help="FILE.jsonl[.gz|.zst] or FILE.parquet; default datasets/tapewright-SEED.jsonl.")  # fmt: skip
@click.option("--workers", "-j", default=0, help="Processes; 0 for one per core. The bytes do not depend on it.")
@click.option("--force", is_flag=True, help="Overwrite an output of another configuration.")
@click.option("--row", type=int, default=None, help="Print only row I of this run and write nothing.")
@click.option("--stats", is_flag=True, help="Measure the wording of the output: distinct-3, compression, openings.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON on stdout.")
def generate(**options: Any) -> None:
    """Write verified rows from market history."""
    from generators.command import run_generate

    run_generate(**options)


@cli.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--shape", default="", help="Shape of the rows read; recognised per file where it is not given.")
@click.option("--tape", default=None, metavar="SOURCE", help="Derive tape facts again from this source, e.g. bundled.")
@click.option("--no-facts", is_flag=True, help="Ignore facts and provenance, as if they had been deleted.")
@click.option("--report", multiple=True, metavar="FORM[=FILE]", help="rich, text, json, jsonl, github, gitlab, junit, sarif or markdown; may be repeated.")  # fmt: skip
@click.option(
    "--select", default="", metavar="CODES", help="Only these rules: codes or first letters, comma-separated."
)
@click.option("--ignore", default="", metavar="CODES", help="All rules but these.")
@click.option(
    "--severity", type=click.Choice(["error", "warning", "info"]), default=None, help="Report this and worse."
)
@click.option("--fail-on", type=click.Choice(["error", "warning", "info"]), default=None, help="Exit 1 for this and worse; default error.")  # fmt: skip
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Leave out findings this file knows.")  # fmt: skip
@click.option("--update-baseline", is_flag=True, help="Write every finding to --baseline and exit 0.")
@click.option("--duplicates", is_flag=True, help="Look for copies, near copies and contradicting labels too (rules D).")
@click.option("--leakage/--no-leakage", default=None, help="Compare splits (rules L); by default where files or rows name them.")  # fmt: skip
@click.option("--max-tokens", default=0, help="Count rows longer than this; 0 for no limit.")
@click.option("--tokenizer", default="", help="tokenizer.json for --max-tokens; otherwise 3 characters count as a token.")  # fmt: skip
@click.option("--workers", "-j", default=0, help="Processes; 0 for one per core where the files are large. The findings do not depend on it.")  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when there are findings.")
@click.option("--explain", is_flag=True, help="Print what rules mean instead (FILES are codes, or all).")
def validate(files: tuple[str, ...], explain: bool, **options: Any) -> None:
    """Check files, globs, folders or stdin (-) of rows in any shape, from their text alone."""
    from validators.command import explain_codes, run_validate

    if explain:
        explain_codes(list(files))
    else:
        sys.exit(run_validate(files, **options))


@cli.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.jsonl[.gz|.zst] or FILE.parquet.")  # fmt: skip
@click.option("--quarantine", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Where refused rows go; default beside the output in .tapewright.")  # fmt: skip
@click.option("--shape", default="", help="Shape of the rows read; recognised per file where it is not given.")
def clean(files: tuple[str, ...], output: Path, quarantine: Path | None, shape: str) -> None:
    """Write the rows that are right, with safe fixes applied; put the others aside with the reason."""
    from validators.command import run_clean

    run_clean(files, output, quarantine, shape)


@cli.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--by", default="time", type=click.Choice(["time", "group", "random"]), help="In order of time; by whole groups, strata held best; or drawn by --seed.")  # fmt: skip
@click.option("--train", type=float, default=None, help="Share of train; .8 where no share is given.")
@click.option("--val", type=float, default=None, help="Share of val; .1 where no share is given.")
@click.option("--test", type=float, default=None, help="Share of test; .1 where no share is given.")
@click.option("--purge", "purge_s", type=Duration(), default=None, help="How far an outcome reaches, e.g. 71d; default by each row's frame.")  # fmt: skip
@click.option("--embargo", "embargo_s", type=Duration(), default=None, help="How far indicators look back, e.g. 100d; default by each row.")  # fmt: skip
@click.option("--block", "block_s", type=Duration(), default="7d", help="Stretch of time that is one group for all symbols; 0 for single moments.")  # fmt: skip
@click.option("--stratify", default="", metavar="COLUMNS", help="Columns or facts to hold in proportion, e.g. task_type,label.")  # fmt: skip
@click.option("--k-fold", "folds", default=0, metavar="K", help="Write K pairs of purged cross-validation instead.")
@click.option("--test-folds", default=1, metavar="N", help="With --k-fold: every choice of N folds is a test once (combinatorial).")  # fmt: skip
@click.option("--seed", default=42, help="For --by random.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), default=None, help="FILE.jsonl[.gz|.zst] or FILE.parquet becomes FILE-train… and so on; default beside the input.")  # fmt: skip
@click.option("--time-column", default="as_of", help="Column that says when a row is.")
@click.option("--group-column", default="group", help="Column that says which rows stay together.")
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
@click.option("--check/--no-check", default=True, help="Look for leaks between the parts and set aside what leaks.")
def split(files: tuple[str, ...], **options: Any) -> None:
    """Split FILES into train, val and test that do not leak; every row is accounted for."""
    from validators.splitting.command import run_split

    run_split(files, **options)


@cli.command()
@click.argument("names", nargs=-1, metavar="[FILES]...")
@click.option("--train", multiple=True, metavar="FILE", help="What training sees; may be repeated.")
@click.option("--test", multiple=True, metavar="FILE", help="What must be unseen; may be repeated, each looked at by itself.")  # fmt: skip
@click.option("--benchmark", multiple=True, metavar="FILE|NAME[=PATH]", help="A file, or fpb, fiqa, tfns, nwgi from the Hub or from PATH.")  # fmt: skip
@click.option("--split-column", default="split", help="Of FILES: the column that names a row's split; else its provenance.")  # fmt: skip
@click.option("--max-share", default=0.0, metavar="SHARE", help="Exit 1 when more than this share of rows leaks in any one way.")  # fmt: skip
@click.option("--strict-families", is_flag=True, help="Count the same template about the same entity, too.")
@click.option("--near", default=0.8, metavar="LIKENESS", help="Least likeness of nearly copied rows.")
@click.option("--ngram-share", default=0.5, metavar="SHARE", help="Least share of a text's own 13-word runs found in one train text.")  # fmt: skip
@click.option("--only", default="", metavar="CODES", help="Only these kinds, e.g. L001,L003.")
@click.option("--ignore", default="", metavar="CODES", help="All kinds but these.")
@click.option("--purge", "purge_s", type=Duration(), default=None, help="How far an outcome reaches; default by each row's frame.")  # fmt: skip
@click.option("--embargo", "embargo_s", type=Duration(), default=None, help="How far indicators look back; default by each row.")  # fmt: skip
@click.option("--block", "block_s", type=Duration(), default="7d", help="Stretch of time that is one scenario for all symbols.")  # fmt: skip
@click.option("--time-column", default="as_of", help="Column that says when a row is.")
@click.option("--group-column", default="group", help="Column that says which rows belong together.")
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
@click.option("--report", multiple=True, metavar="FORM[=FILE]", help="json, jsonl or any form of validate; may be repeated.")  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when too much leaks.")
def leakage(names: tuple[str, ...], **options: Any) -> None:
    """Find what of the test side has leaked into train: copies, passages, scenarios, time, quotes, templates."""
    from validators.leakage.command import run_leakage

    sys.exit(run_leakage(names, **options))


@cli.command()
@click.argument("names", metavar="FILES", nargs=-1)
@click.option("--to", default="", metavar="FORMAT", help="Format to write; --list shows them.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), default=None, help="FILE.jsonl[.gz|.zst], FILE.parquet or, for csv, FILE.csv.")  # fmt: skip
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
@click.option("--template", type=click.Path(dir_okay=False, path_type=Path), default=None, help="For the format text: a file with {instruction}, {input}, {output} and {system}.")  # fmt: skip
@click.option("--keep-metadata", is_flag=True, help="Keep facts, provenance and other bookkeeping columns, where the client bears them.")  # fmt: skip
@click.option("--max-tokens", default=0, help="Leave out rows longer than this; 0 for no limit.")
@click.option(
    "--tokenizer", default="", help="tokenizer.json for --max-tokens; otherwise 3 characters count as a token."
)
@click.option("--dry-run", is_flag=True, help="Print the first row in the new shape and write nothing.")
@click.option("--list", "listing", is_flag=True, help="List the formats.")
@click.option("--workers", "-j", default=0, help="Processes; 0 for one per core where the files are large. The bytes do not depend on it.")  # fmt: skip
def convert(names: tuple[str, ...], **options: Any) -> None:
    """Write rows of any shape in the format of a trainer."""
    from converters.command import run_convert

    sys.exit(run_convert(names, **options))


@cli.command()
@click.argument("sources", metavar="FILE=SHARE", nargs=-1, required=True)
@click.option("--size", "-n", default=0, help="Rows to write; 0 for as many as the shares allow.")
@click.option("--seed", default=42, help="Which rows of each file are taken.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, help="FILE.jsonl[.gz|.zst] or FILE.parquet.")  # fmt: skip
def mix(sources: tuple[str, ...], **options: Any) -> None:
    """Blend datasets by share, e.g. general instructions against forgetting."""
    from converters.command import run_mix

    sys.exit(run_mix(sources, **options))


@cli.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--json", "as_json", is_flag=True, help="The difference as JSON on stdout.")
@click.option("--most", default=20, help="Lines to print of each kind.")
def diff(old: str, new: str, **options: Any) -> None:
    """Compare two versions of a dataset by what their rows say; exit 1 where they differ."""
    from converters.command import run_diff

    sys.exit(run_diff(old, new, **options))


@cli.command()
@click.argument("models", metavar="[NAME=]MODEL", nargs=-1)
@click.option("--data", multiple=True, metavar="FILE", help="Rows to ask; by default the test rows of a run's folder.")
@click.option("--adapter", default="", metavar="FOLDER", help="Adapter to put on the one MODEL.")
@click.option("--sentiment", default="", metavar="SET[=PATH]", help="fpb, fiqa, tfns or nwgi instead of --data, from a path or the Hub.")  # fmt: skip
@click.option(
    "--train", multiple=True, metavar="FILE", help="Rows the baselines may learn from; by default those asked."
)
@click.option("--answers", multiple=True, metavar="NAME=FILE", help="Answers made elsewhere: lines of row and answer.")
@click.option("--endpoint", default="", metavar="URL", help="Server of OpenAI's chat completions, up to /v1; its key is OPENAI_API_KEY.")  # fmt: skip
@click.option("--endpoint-model", default="", metavar="NAME", help="The model to ask for there.")
@click.option("--rows", default=0, help="Ask so many, evenly over the tasks; 0 for all.")
@click.option("--seed", default=42, help="Which rows are drawn, and the bootstrap.")
@click.option(
    "--max-new-tokens",
    default=0,
    help="Longest answer; 0: as many as the longest of the rows' own answers has characters, 64 to 512.",
)
@click.option("--max-prompt-tokens", default=0, help="Leave longer prompts out; 0 for what the model's context bears.")
@click.option("--batch", default=16, help="Rows asked at once.")
@click.option("--json-rows", default=100, help="Rows the second scorer asks again as JSON; 0 for none.")
@click.option("--few-shot", default=0, help="Ask the first model once more after so many solved rows.")
@click.option("--baselines/--no-baselines", "trivial", default=True, help="Trivial answers to compare with.")
@click.option("--device", default="auto", type=click.Choice(["auto", "cpu", "cuda"]), help="Where models run.")
@click.option("--quantisation", default="", type=click.Choice(["", "nf4"]), help="Load models in four bits.")
@click.option("--human", default=0, metavar="N", help="Write a sheet of N random answers for people to score.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), default=None, help="A sheet people have filled in.")  # fmt: skip
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=Path("evaluation"), help="Folder for answers and reports.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The measures as JSON on stdout.")
def evaluate(models: tuple[str, ...], **options: Any) -> None:
    """Ask models the rows, score the answers with the checker, compare them."""
    from finetune.evaluation.command import run_evaluate

    sys.exit(run_evaluate(models, **options))


@cli.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--near", default=0.8, metavar="LIKENESS", help="Least likeness of near duplicates: Jaccard of word triples.")  # fmt: skip
@click.option("--fields", default="", help="What is compared, comma-separated: system, instruction, input, output, rejected or any column; default all texts.")  # fmt: skip
@click.option("--against", multiple=True, metavar="REFERENCE", help="Rows close to a row of this file, glob or folder go; it is not changed. May be repeated.")  # fmt: skip
@click.option("--remove", default="near", metavar="KINDS", help="What goes besides exact copies: near, conflict, id, twin, comma-separated; what does not go is counted and listed.")  # fmt: skip
@click.option("--keep", default="best", type=click.Choice(["best", "longest", "first"]), help="Which row of a pair stays. Best: fewer findings, then longer, then first.")  # fmt: skip
@click.option("--max-removed", default=0.5, metavar="SHARE", help="Write nothing where more of a file would go.")
@click.option("--force", is_flag=True, help="Write however much goes.")
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Write every pair with its evidence to this JSONL file.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), default=None, help="FILE.jsonl[.gz|.zst] or FILE.parquet for the rows that stay.")  # fmt: skip
@click.option("--workers", "-j", default=0, help="Processes; 0 for one per core where the files are large. The bytes do not depend on it.")  # fmt: skip
def dedup(files: tuple[str, ...], **options: Any) -> None:
    """Take out copies and near copies, each with the row that stays in its place."""
    from validators.duplicates.command import run_dedup

    sys.exit(run_dedup(files, **options))


@cli.command()
@click.argument("names", metavar="FILES...", nargs=-1, required=True)
@click.option("--repo", required=True, metavar="USER/NAME", help="Dataset repository; made where it is missing.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--pr", "pull_request", is_flag=True, help="Open a pull request instead of committing to main.")
@click.option("--revision", default="", help="Branch to commit to, or refs/pr/N to go on with a pull request; default main.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and print the card.")
@click.option("--force", is_flag=True, help="Push in spite of errors; the card then says so. Keys and tokens always stop it.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files that the last push did not leave so, e.g. a card edited by hand.")  # fmt: skip
@click.option("--title", default="", help="Title of the card; default from the repository's name.")
@click.option("--license", default="", metavar="ID", help="Licence as the Hub spells it, e.g. cc-by-4.0.")
@click.option("--language", default="en", help="Language of the texts.")
@click.option("--shape", default="", help="Shape of the rows read; recognised per row where it is not given.")
@click.option("--tape", default="", metavar="SOURCE", help="Derive tape facts again from this source, e.g. bundled.")
@click.option("--shard-mb", default=256, help="Megabytes of JSON text whose rows make one Parquet file.")
@click.option("--token-stdin", is_flag=True, help="Read the token from stdin; otherwise HF_TOKEN or the login store.")
@click.option("--workers", "-j", default=0, help="Processes of the check; 0 for one per core where the files are large.")  # fmt: skip
def push(names: tuple[str, ...], **options: Any) -> None:
    """Check FILES and push them to the Hub as Parquet with a card, in one commit."""
    from converters.hub.command import run_push

    run_push(names, **options)


@cli.command()
@click.argument("repo", metavar="USER/NAME")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), default=None, help="FILE.jsonl[.gz|.zst] or FILE.parquet becomes FILE-train… and so on; default datasets/NAME.jsonl.")  # fmt: skip
@click.option("--revision", default="", help="Branch, commit or refs/pr/N; default main.")
@click.option("--token-stdin", is_flag=True, help="Read the token from stdin; otherwise HF_TOKEN or the login store.")
def pull(repo: str, **options: Any) -> None:
    """Bring a pushed dataset back as rows; every file must be what its manifest says."""
    from converters.hub.command import run_pull

    run_pull(repo, **options)


@cli.group()
def pine() -> None:
    """Check and format PineScript (unofficial; versions 5 and 6)."""


@pine.command("check")
@click.argument("files", nargs=-1, required=True)
@click.option("--report", multiple=True, metavar="FORM[=FILE]", help="As in validate; may be repeated.")
@click.option("--ignore", default="", metavar="CODES", help="All rules but these.")
@click.option("--fail-on", default="error", type=click.Choice(["error", "warning", "info"]), help="Exit 1 for this and worse.")  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit 0 even when there are problems.")
def check_pine(files: tuple[str, ...], report: tuple[str, ...], ignore: str, fail_on: str, exit_zero: bool) -> None:
    """Check scripts as the compiler would, and for what compiles and misleads."""
    from validators.pinescript.command import run_check

    sys.exit(run_check(files, report, ignore, fail_on, exit_zero))


@pine.command("format")
@click.argument("files", nargs=-1, required=True)
@click.option("--write", is_flag=True, help="Write the files in place instead of printing them.")
def format_pine(files: tuple[str, ...], write: bool) -> None:
    """Print scripts anew, unchanged in meaning: four spaces to a block, one statement to a line."""
    from validators.pinescript.command import run_format

    sys.exit(run_format(files, write))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def tasks(as_json: bool) -> None:
    """List the tasks with their weights, families and defects."""
    from generators.command import list_all_tasks

    list_all_tasks(as_json)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("row_id")
def show(file: Path, row_id: str) -> None:
    """Show one row of FILE: text, facts, claims, family, defect and the candles it stands on."""
    from generators.command import show_row

    show_row(file, row_id)


@cli.group(invoke_without_command=True)
@click.option("--source", default="bundled", help="Which market data to list.")
@click.pass_context
def market(ctx: click.Context, source: str) -> None:
    """List what the tape holds, or fetch a snapshot."""
    if ctx.invoked_subcommand is None:
        from generators.command import list_market

        list_market(source)


@market.command()
@click.option("--symbols", required=True, help="Comma-separated, e.g. BTCUSDT,ETHUSDT.")
@click.option("--frames", default="1h,1d", help="Comma-separated timeframes.")
@click.option("--since", type=Moment(), required=True, help="First moment (UTC).")
@click.option("--until", type=Moment(), default=None, help="Last moment (UTC); default now.")
@click.option("--output", "-o", type=click.Path(path_type=Path), default=None, help="Snapshot file; default datasets/snapshots/bybit.parquet.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path), default=None, help="Folder for pages already fetched.")
@click.option("--endpoint", default=None, help="Another API address, e.g. a test network.")
def fetch(**options: Any) -> None:
    """Fetch candles and contract data from Bybit and freeze them to a snapshot file."""
    from generators.command import fetch_snapshot

    fetch_snapshot(**options)


cli.add_command(finetune)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every expected error is one line and an exit code."""
    try:
        cli.main(args=arguments, prog_name="tapewright", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        _fail("interrupted", 130)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except TapewrightError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # the reader of a pipe went away; nothing is wrong with us
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _fail("out of memory; use fewer --workers or a smaller --size", 2)
    except Exception as error:
        if os.environ.get("TAPEWRIGHT_TRACEBACK"):
            raise
        _fail(f"internal error: {type(error).__name__}: {error}; set TAPEWRIGHT_TRACEBACK=1 for the traceback", 3)


def _fail(message: str, code: int) -> None:
    colour = sys.stderr.isatty()
    line = " ".join(message.split())
    sys.stderr.write(f"\x1b[31merror\x1b[0m: {line}\n" if colour else f"error: {line}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
