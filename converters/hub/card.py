"""The dataset card: everything on it comes from the rows, the check, and the manifests beside the files."""

import re
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from converters.convert import BOOKKEEPING
from converters.hub import markdown as md
from converters.hub.front import front
from converters.hub.origin import Origin
from converters.hub.quality import Quality
from converters.hub.shards import Shard
from converters.hub.survey import Survey, percentile
from tapewright import __version__
from tapewright.rows import Row
from templates.engine import render_page
from templates.specs import list_tasks, load_spec
from validators.rules import RULES

_COLUMNS = {
    "id": "task and number, unique within its file",
    "instruction": "what is asked",
    "input": "the data it is asked about; empty where the question says it all",
    "output": "the answer",
    "response": "the answer",
    "chosen": "the right answer",
    "rejected": "an answer with one named defect",
    "defect": "the name of that defect",
    "conversations": "turns of `human` and `gpt`",
    "messages": "turns with role and content",
    "task_type": "which task it is",
    "group": "rows that must stay in one split: a stretch of time, or what the row is about",
    "as_of": "close of the last candle the prompt can know, UTC; empty for tasks without time",
    "family": "the template family its wording comes from",
    "facts": "the typed numbers and labels behind the texts, as JSON",
    "provenance": "seed, row, attempt and split, the tape, and where each fact came from, as JSON",
}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What whoever pushes says about the dataset, beside the data."""

    title: str = ""
    license: str = ""
    language: str = "en"
    forced: bool = False


def write_card(repository: str, seen: Survey, quality: Quality, shards: list[Shard], origins: list[Origin], wishes: Wishes) -> str:  # fmt: skip
    """The text of README.md. The same data give the same card: it holds no date of today."""
    title = wishes.title or repository.partition("/")[2].replace("-", " ").replace("_", " ").capitalize()
    made = sum(seen.origins.values()) == seen.rows  # every row says what it was drawn from
    return render_page("dataset", {
        "front": front(seen, shards, title=title, license=wishes.license, language=wishes.language, made=made), "title": md.cell(title), "repository": repository, "version": __version__,
        "opening": _opening(seen, made), "warning": _warning(seen, quality, wishes), "facts": _facts(seen, quality, shards, wishes, made),
        "years": _years(seen), "loading": _loading(repository, seen), "parts": _parts(seen, shards), "tasks": _tasks(seen),
        "labels": [(md.word(name), md.shares(task.labels)) for name, task in _ranked(seen) if task.labels],
        "made": made, "defects": [(md.word(name), md.shares(task.defects)) for name, task in _ranked(seen) if task.defects],
        "lengths": _lengths(seen), "examples": _examples(seen), "columns": _columns(seen),
        "making": _making(seen, origins, made), "commands": list(dict.fromkeys(one.command for one in origins if one.command)),
        "sources": _sources(seen, origins), "changed": _changed(seen, origins), "markets": _markets(seen), "tape": _tape(seen, origins),
        "verdict": _verdict(quality), "families": _families(quality), "findings": _findings(quality),
        "remarks": _remarks(quality), "uses": _uses(seen, quality, made), "licence": _licence(seen, wishes, made),
        "citation": _citation(repository, title, seen),
    })  # fmt: skip


def _ranked(seen: Survey) -> list[tuple[str, Any]]:
    return sorted(((name or "(no task named)", task) for name, task in seen.tasks.items()), key=lambda entry: (-entry[1].rows, entry[0]))  # fmt: skip


def _opening(seen: Survey, made: bool) -> str:
    kinds = {
        "instruction": "instructions with answers", "preference": "preference pairs", "conversation": "conversations",
        "rated": "rated answers", "text": "labelled texts",
    }  # fmt: skip
    held = [kinds[config] for config in seen.configs()]
    what = held[0] if len(held) == 1 else ", ".join(held[:-1]) + " and " + held[-1]
    if not made:
        return f"**{md.number(seen.rows)} rows: {what}.** They were checked by Tapewright before they were pushed; what it found is below."  # fmt: skip
    return (
        f"**{md.number(seen.rows)} {what} for trading language models, in which every number can be recomputed.** "
        "They were made from real market history, facts first and words last. Before a row was kept, its answer was read back from "
        "the printed text, and every number in it had to stand in the prompt or follow from it by a named formula."
        + (" Every rejected answer is wrong for a reason that has a name, and that is what the checker found in it." if "preference" in seen.columns else "")
    )  # fmt: skip


def _warning(seen: Survey, quality: Quality, wishes: Wishes) -> str:
    left = seen.left_out.total()
    parts = []
    if quality.failed and wishes.forced:
        parts.append(
            f"Pushed by force: the check found {md.number(quality.errors)} errors, listed under Quality report."
        )
    if left:
        parts.append(f"{md.number(left)} rows of the files could not be read as rows and are not here.")
    return " ".join(parts)


def _facts(seen: Survey, quality: Quality, shards: list[Shard], wishes: Wishes, made: bool) -> list[tuple[str, str]]:
    splits: Counter[str] = Counter()
    for (_, split), part in seen.parts.items():
        splits[split] += part.rows
    usual = list(dict.fromkeys(split for config in seen.configs() for split in seen.splits(config)))
    facts = [
        ("Rows", f"{md.number(seen.rows)}: " + " · ".join(f"{name} {md.number(splits[name])}" for name in usual)),
        ("Tasks", md.number(sum(bool(name) for name in seen.tasks)) if any(seen.tasks) else ""),
        ("Configurations", " · ".join(f"`{name}`" for name in seen.configs())),
        ("Market data", _span(seen)),
        ("Checked", f"{quality.rules} rules, " + _errors(quality)),
        ("Leaks between splits", _leaks(quality)),
        ("Seeds", ", ".join(sorted({seed for seed, _, _ in seen.origins}, key=lambda seed: (len(seed), seed))) if made else ""),
        ("Size", f"{md.size(sum(shard.size for shard in shards))} of Parquet in {len(shards)} files"),
        ("Language", wishes.language), ("Licence", md.cell(wishes.license) or "not chosen yet"),
    ]  # fmt: skip
    return [(name, value) for name, value in facts if value]


def _leaks(quality: Quality) -> str:
    """Leaked rows, those within limits too: a limit makes a leak bearable and not undone."""
    if not quality.compared:
        return ""
    borne = sum(count for code, count in quality.tolerated.items() if code[0] == "L")
    found = borne + sum(count for code, count in quality.counts.items() if code[0] == "L")
    within = f", {md.number(borne)} of them within the limits set" if borne else ""
    return f"{md.number(found) if found else 'none'}{within} ({md.cell(quality.compared)})"


def _span(seen: Survey) -> str:
    if not seen.first:
        return ""
    contracts = f"{len(seen.markets)} perpetual contracts, " if seen.markets else ""
    return f"{contracts}{seen.first[:10]} to {seen.last[:10]}"


def _years(seen: Survey) -> list[tuple[str, str, str]]:
    most, total = max(seen.moments.values(), default=0), seen.moments.total()
    years = sorted(seen.moments.items())
    return [(year, f"{md.bar(count, most):<12}", md.percent(count, total)) for year, count in years] if len(years) > 1 else []  # fmt: skip


def _loading(repository: str, seen: Survey) -> list[str]:
    lines = []
    for config in seen.configs():
        split = seen.splits(config)[0]
        lines.append(f'{config} = load_dataset("{repository}", "{config}", split="{split}")')
    first = seen.configs()[0]
    return [*lines, "", f"print({first}[0])"]


def _parts(seen: Survey, shards: list[Shard]) -> dict[str, Any]:
    """A row per configuration, a column per split."""
    splits = list(dict.fromkeys(split for config in seen.configs() for split in seen.splits(config)))
    rows = []
    for config in seen.configs():
        own = [shard for shard in shards if shard.config == config]
        counts = [sum(shard.rows for shard in own if shard.split == split) for split in splits]
        rows.append({"config": f"`{config}`", "rows": [md.number(count) if count else "–" for count in counts], "size": f"{md.size(sum(shard.size for shard in own))} in {len(own)} files" if len(own) > 1 else md.size(own[0].size)})  # fmt: skip
    return {"splits": splits, "rows": rows}


def _tasks(seen: Survey) -> list[dict[str, str]]:
    known, made = list_tasks(), []
    most = max(task.rows for task in seen.tasks.values())
    for name, task in _ranked(seen):
        about = load_spec(name).summary if name in known else ""
        kinds = f"; {len(task.groups)} subjects" if len(task.groups) > 1 and name in known and load_spec(name).timeless else ""  # fmt: skip
        made.append({"name": md.word(name), "summary": md.cell(about + kinds), "rows": md.number(task.rows), "bar": f"`{md.bar(task.rows, most)}`"})  # fmt: skip
    return made


def _lengths(seen: Survey) -> list[dict[str, str]]:
    return [
        {"name": name, "least": md.number(min(found)), "low": md.number(percentile(found, 0.05)), "middle": md.number(percentile(found, 0.5)),
         "high": md.number(percentile(found, 0.95)), "most": md.number(max(found)), "shape": md.histogram(found)}
        for name, found in seen.lengths.items()
    ]  # fmt: skip


def _examples(seen: Survey) -> list[dict[str, Any]]:
    made = []
    for name, task in _ranked(seen):
        config, row = task.example()
        made.append({"name": escape(name), "config": config, "id": escape(row.id), "texts": _texts(row)})
    return made


def _texts(row: Row) -> list[tuple[str, str]]:
    texts = [
        ("System", row.system), ("Instruction", row.instruction), ("Input", row.input),
        ("Chosen" if row.rejected else "Answer", row.output),
        (f"Rejected: {md.cell(row.defect.replace('_', ' '))}" if row.defect else "Rejected", row.rejected),
    ]  # fmt: skip
    return [(name, md.fenced(text)) for name, text in texts if text]


def _columns(seen: Survey) -> list[dict[str, str]]:
    """Each column once, with the configurations that have it."""
    found: dict[tuple[str, str], list[str]] = {}
    for config in seen.configs():
        for one in seen.columns[config].schema():
            found.setdefault((one.name, _kind(str(one.type))), []).append(config)
    everywhere = len(seen.configs())
    told = sorted(found.items(), key=lambda entry: entry[0][0] in BOOKKEEPING[1:])  # what a person reads comes first
    return [
        {"name": md.word(name), "kind": md.cell(kind), "where": "all" if len(configs) == everywhere else ", ".join(configs), "about": _COLUMNS.get(name, "")}
        for (name, kind), configs in told
    ]  # fmt: skip


def _kind(arrow: str) -> str:
    """`list of {from, value}` for what Arrow calls list<item: struct<from: string, value: string>>."""
    inside = re.fullmatch(r"list<\w+: struct<(.*)>>", arrow)
    if not inside:
        return arrow
    return "list of {" + ", ".join(part.partition(":")[0].strip() for part in re.split(r", (?=\w+:)", inside[1])) + "}"


def _making(seen: Survey, origins: list[Origin], made: bool) -> str:
    if not made:
        return "The rows come from these files. Their sha256 is that of the files as they were read."
    stated = sorted({(seed, code) for seed, _, code in seen.origins})
    said = ", ".join(f"seed {md.cell(seed)} with version {md.cell(code)}" for seed, code in stated[:6])
    if all(one.command for one in origins):
        codes = sorted({(one.version, one.code) for one in origins if one.code})
        by = ", ".join(f"{md.cell(version)} (code `{md.cell(code)}`)" for version, code in codes)
        return "These commands" + (f", with Tapewright {by}," if by else "") + " make these files again, byte for byte, from the same market data; the number of workers does not matter."  # fmt: skip
    return f"The rows say how they were generated: {said}. Not every file has a manifest beside it that would give its command."


def _sources(seen: Survey, origins: list[Origin]) -> list[dict[str, str]]:
    return [
        {"name": md.word(Path(source.name).name), "rows": md.number(source.rows), "seed": md.cell(origin.seed) or "–", "sha256": source.sha256}
        for source, origin in zip(seen.sources, origins)
    ]  # fmt: skip


def _changed(seen: Survey, origins: list[Origin]) -> str:
    names = [md.cell(Path(source.name).name) for source, origin in zip(seen.sources, origins) if origin.changed]
    return f"⚠️ Changed since they were made, so that their manifests say nothing about them: {', '.join(names)}." if names else ""  # fmt: skip


def _tape(seen: Survey, origins: list[Origin]) -> str:
    digests = sorted(
        {origin.tape for origin in origins if origin.tape} or {tape for _, tape, _ in seen.origins if tape}
    )
    frozen = f" The market data was frozen first; its sha256 is {', '.join(f'`{md.cell(digest)}`' for digest in digests)}." if digests else ""  # fmt: skip
    return f"Closed candles and funding of perpetual futures as the exchanges published them, seen as of moments from {seen.first} to {seen.last}.{frozen} Some rows show a contract under another name and with scaled prices, so that nothing can be recited from memory; their facts say what they are made from."  # fmt: skip


def _markets(seen: Survey) -> list[dict[str, str]]:
    venues: dict[str, Counter[str]] = {}
    for (venue, symbol), count in seen.markets.items():
        venues.setdefault(venue, Counter())[symbol] += count
    return [
        {"name": md.cell(venue.capitalize()), "symbols": ", ".join(map(md.cell, sorted(found))), "rows": md.number(found.total())}
        for venue, found in sorted(venues.items())
    ]  # fmt: skip


def _errors(quality: Quality) -> str:
    if quality.errors:
        return f"**{md.number(quality.errors)} errors**"
    return "**no errors** beyond the limits set" if quality.tolerated else "**no errors**"


def _verdict(quality: Quality) -> str:
    found = _errors(quality)
    others = quality.counts.total() - quality.errors
    noted = f" and {md.number(others)} warnings and notes" if others else " and nothing to warn of"
    return (
        f"All {md.number(quality.rows)} rows were checked by {quality.rules} rules before they were pushed: {found}{noted}. "
        f"Numbers could be checked in {md.percent(quality.checked, quality.rows)} of rows"
        + (f"; {md.number(quality.tape_facts)} facts were derived again from the market data" if quality.tape_facts else "")
        + (f"; in all {md.number(quality.pairs)} pairs the rejected answer was looked at too" if quality.pairs else "") + "."
    )  # fmt: skip


def _families(quality: Quality) -> list[dict[str, str]]:
    return [
        {"letter": one.letter, "name": one.name, "about": one.about, "rules": str(one.rules), "errors": md.number(one.errors) if one.errors else "–",
         "others": md.number(one.others) if one.others else "–"}
        for one in quality.families
    ]  # fmt: skip


def _findings(quality: Quality) -> list[dict[str, str]]:
    order = {"error": 0, "warning": 1, "info": 2}
    ranked = sorted(quality.counts.items(), key=lambda entry: (order[RULES[entry[0]].severity], -entry[1], entry[0]))
    return [
        {"code": code, "name": RULES[code].name, "severity": RULES[code].severity, "count": md.number(count), "place": md.cell(quality.places.get(code, ""))}
        for code, count in ranked if count
    ]  # fmt: skip


def _remarks(quality: Quality) -> list[str]:
    copies = quality.counts["D001"], quality.counts["D002"]
    ran = {family.letter for family in quality.families}
    lines = []
    if "D" in ran:
        lines.append(
            f"**Duplicates**, within each file: {md.number(copies[0])} exact copies, {md.number(copies[1])} near copies."
        )
    if quality.compared:
        lines.append(f"**Leakage**, {md.cell(quality.compared)}: copies, passages, scenarios, overlapping windows of time, quoted prices and dates; found: {_leaks(quality).rpartition(' (')[0]}.")  # fmt: skip
    else:
        lines.append("**Leakage** was not looked for: there are not two splits to compare.")
    if quality.off:
        lines.append(f"Switched off by whoever pushed: {', '.join(quality.off)}.")
    if quality.tolerated:
        borne = ", ".join(f"{md.number(count)} × {code} {RULES[code].name}" for code, count in sorted(quality.tolerated.items()))  # fmt: skip
        lines.append(f"**Within the limits** that whoever pushed had set, and not among the errors above: {borne}.")
    return lines


def _uses(seen: Survey, quality: Quality, made: bool) -> list[str]:
    lines = ["Supervised fine-tuning" + (" and preference training" if "preference" in seen.columns else "") + ", and testing on splits that were not trained on."]  # fmt: skip
    if not made:
        return [*lines, "Nothing here is investment advice. The check proves that numbers agree with their prompt, not that a statement about a market is true or useful."]  # fmt: skip
    families = max((len(task.families) for task in seen.tasks.values()), default=0)
    return [
        *lines,
        "It teaches form, arithmetic and caution. It does not teach to predict: rows were never chosen by what happened next, the "
        "rules behind the plans earn nothing reliable after costs, and no text claims an edge, a win rate or a forecast.",
        "Positions, accounts, fees and tiers are drawn, and the prompt states them. Companies and tokens in news are made up.",
        f"The wording comes from templates, up to {families} families a task, in English. A model trained on nothing else will sound like them: mix it with general instructions.",
        *(["Splits are kept apart in time and in wording, so that a score on the test split means something; a random split of all rows would not."] if quality.compared and not any(code[0] == "L" for code in quality.counts) else []),
        "Not investment advice.",
    ]  # fmt: skip


def _licence(seen: Survey, wishes: Wishes, made: bool) -> str:
    chosen = f"`{md.cell(wishes.license)}`, as chosen by whoever pushed it." if wishes.license else "Whoever pushed this has not chosen a licence yet; ask before you use it."  # fmt: skip
    if not (made and seen.markets):
        return chosen
    venues = " and ".join(sorted({venue.capitalize() for venue, _ in seen.markets}))
    return f"{chosen} It covers the texts. The market figures in them are facts published by {md.cell(venues)}, whose terms for market data are yours to read."  # fmt: skip


def _citation(repository: str, title: str, seen: Survey) -> str:
    user, _, name = repository.partition("/")
    key = "".join(sign if sign.isalnum() else "_" for sign in name)
    clean = "".join(sign for sign in title if sign not in "{}\\")
    digest = ", ".join(sorted(source.sha256[:12] for source in seen.sources)[:4])
    lines = [f"@misc{{{key},", f"  title = {{{clean}}},", f"  author = {{{user}}},"]
    lines += [f"  howpublished = {{\\url{{https://huggingface.co/datasets/{repository}}}}},", f"  note = {{Tapewright {__version__}; sha256 {digest}}}", "}"]  # fmt: skip
    return "\n".join(lines)
