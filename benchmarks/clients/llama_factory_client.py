"""LLaMA-Factory's own converters on the file and the dataset_info.json beside it. Arguments: FILE FORMAT.

It only warns of bad rows and empties them: a row counts as accepted when prompt and answers come out whole.
"""

import importlib.machinery
import json
import os
import sys
import types
from pathlib import Path

os.environ["DISABLE_VERSION_CHECK"] = "1"
import transformers  # noqa: F401  before the stand-in below, which it would ask for its version

audio = types.ModuleType("torchaudio")  # imported by its multimodal plugin, used by none of ours
audio.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = audio
from llamafactory.data.converter import get_dataset_converter  # noqa: E402
from llamafactory.data.parser import get_dataset_list  # noqa: E402

path = Path(sys.argv[1])
name = path.name.partition(".")[0]
(attributes,) = get_dataset_list([name], str(path.parent))
settings = types.SimpleNamespace(image_dir="", video_dir="", audio_dir="", media_dir="")
convert = get_dataset_converter(attributes.formatting, attributes, settings)
accepted, why = 0, ""
for number, line in enumerate(path.open(encoding="utf-8"), 1):
    row = json.loads(line)
    aligned = convert(row)
    prompts, answers = aligned["_prompt"], aligned["_response"]
    wanted = 2 if "rejected" in row or "kto_tag" in row else 1
    whole = prompts and len(answers) == wanted and all(turn["content"] for turn in prompts) and any(turn["content"] for turn in answers)  # fmt: skip
    if whole and (wanted == 1 or "kto_tag" in row or all(turn["content"] for turn in answers)):
        accepted += 1
    else:
        why = why or f"line {number}: emptied"
print(json.dumps({"accepted": accepted, "why": why}))
