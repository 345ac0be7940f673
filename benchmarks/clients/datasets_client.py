"""`datasets.load_dataset` on the file, whole and streaming. Arguments: FILE FORMAT."""

import json
import sys

from datasets import load_dataset
from datasets.utils.logging import disable_progress_bar

disable_progress_bar()
path = sys.argv[1]
kind = {"csv": "csv", "parquet": "parquet"}.get(path.rpartition(".")[2], "json")
data = load_dataset(kind, data_files=path, split="train")
streamed = sum(1 for _ in load_dataset(kind, data_files=path, split="train", streaming=True))
answer = next(name for name in ("output", "response", "conversations", "text", "messages") if name in data.column_names)
accepted = sum(bool(value) for value in data[answer])
print(json.dumps({"accepted": accepted if streamed == len(data) else 0, "why": "" if streamed == len(data) else f"{streamed} rows streamed"}))  # fmt: skip
