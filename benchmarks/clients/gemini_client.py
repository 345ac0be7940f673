"""google-genai's types for contents and system instruction. Run in an environment of its own: FILE FORMAT."""

import json
import sys
from pathlib import Path

from google.genai import types

accepted, why = 0, ""
for number, line in enumerate(Path(sys.argv[1]).read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
    row = json.loads(line)
    try:
        turns = [types.Content.model_validate(turn, extra="forbid") for turn in row.pop("contents")]
        if instruction := row.pop("systemInstruction", None):
            types.Content.model_validate(instruction, extra="forbid")
        if row or turns[-1].role != "model" or not all(part.text for turn in turns for part in turn.parts):
            raise ValueError(f"columns {list(row)}, or an empty part, or a last turn that is not the model's")
        accepted += 1
    except Exception as error:
        why = why or f"line {number}: {str(error).splitlines()[0]}"
print(json.dumps({"accepted": accepted, "why": why}))
