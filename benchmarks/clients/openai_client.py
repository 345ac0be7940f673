"""The OpenAI SDK's message types, and the rules its cookbook states for a training file. Arguments: FILE FORMAT.

The rules: at least ten rows, known roles, texts that are texts, an assistant's message in each row and last; for pairs
`input.messages` and exactly one assistant's message on either side.
"""

import json
import sys
from pathlib import Path

from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

adapter = TypeAdapter(ChatCompletionMessageParam)
KEYS = {"role", "content", "weight", "tool_calls", "tool_call_id", "name"}


def check(messages: list[dict]) -> None:
    for message in messages:
        adapter.validate_python(message)
        if set(message) - KEYS:
            raise ValueError(f"keys {sorted(set(message) - KEYS)} are not known")
        if not isinstance(message.get("content"), str) and not message.get("tool_calls"):
            raise ValueError("a message without content")


accepted, why = 0, ""
for number, line in enumerate(Path(sys.argv[1]).read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
    row = json.loads(line)
    try:
        if "messages" in row:
            check(row["messages"])
            if row["messages"][-1]["role"] != "assistant" or set(row) - {"messages", "tools", "parallel_tool_calls"}:
                raise ValueError("the last message is not the assistant's, or there are other columns")
        else:
            check(row["input"]["messages"])
            for side in ("preferred_output", "non_preferred_output"):
                check(row[side])
                if len(row[side]) != 1 or row[side][0]["role"] != "assistant":
                    raise ValueError(f"{side} is not one message of the assistant")
        accepted += 1
    except Exception as error:
        why = why or f"line {number}: {str(error).splitlines()[0]}"
print(json.dumps({"accepted": accepted if accepted >= 10 else 0, "why": why}))
