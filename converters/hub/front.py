"""The YAML head of a dataset card: what a Hub's search, its viewer and `load_dataset` read."""

from typing import Any

from converters.hub.shards import Shard
from converters.hub.survey import Survey

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"), (10**8, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip
_SCRIPT = "pinescript_"


def front(seen: Survey, shards: list[Shard], *, title: str, license: str, language: str, made: bool) -> str:
    """The YAML head: what the Hub's search, its viewer and `load_dataset` read."""
    import yaml
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    classes = ["text-classification"] if "sentiment_analysis" in seen.tasks or "text" in seen.columns else []
    tags = ["finance", "trading", *(["synthetic"] if made else []), *(["preference"] if "preference" in seen.columns else [])]  # fmt: skip
    tags += ["code", "pinescript"] if any(name.startswith(_SCRIPT) for name in seen.tasks) else []
    head: dict[str, Any] = {
        "license": license or "unknown", "language": [language], "pretty_name": title,
        "size_categories": [next((name for most, name in SIZES if seen.rows < most), "n>1T" if seen.rows >= 10**12 else "1B<n<10B")],
        "task_categories": ["text-generation", *classes], "tags": tags, "configs": _configs(seen, shards),
    }  # fmt: skip
    infos = DatasetInfosDict({config: _info(config, seen, shards) for config in seen.configs()})
    card = DatasetCardData()
    infos.to_dataset_card_data(card)
    head["dataset_info"] = card.to_dict()["dataset_info"]
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=100)


def _configs(seen: Survey, shards: list[Shard]) -> list[dict[str, Any]]:
    made = []
    for place, config in enumerate(seen.configs()):
        files = [{"split": split, "path": _pattern(config, split, shards)} for split in seen.splits(config)]
        made.append({"config_name": config, **({} if place else {"default": True}), "data_files": files})
    return made


def _pattern(config: str, split: str, shards: list[Shard]) -> str:
    first = next(shard.path for shard in shards if (shard.config, shard.split) == (config, split))
    return f"{first.rpartition('/')[0]}/{split}-*"


def _info(config: str, seen: Survey, shards: list[Shard]) -> Any:
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo

    own = [shard for shard in shards if shard.config == config]
    splits = SplitDict()
    for split in seen.splits(config):
        here = [shard for shard in own if shard.split == split]
        splits.add(SplitInfo(split, sum(one.table_bytes for one in here), sum(one.rows for one in here)))
    sizes = sum(shard.size for shard in own), sum(shard.table_bytes for shard in own)
    features = Features.from_arrow_schema(seen.columns[config].schema())
    return DatasetInfo(config_name=config, features=features, splits=splits, download_size=sizes[0], dataset_size=sizes[1])  # fmt: skip
