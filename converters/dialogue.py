"""A row as a talk, whatever shape it came in: the turns before the answer, the answer, and what else it carries."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from tapewright.rows import Row

Turn = dict[str, Any]  # role and content, and of tools: tool_calls, tool_call_id, name
SYSTEM, TURNS, TOOLS, REJECTED, LABEL, INPUT = "system turns", "earlier turns", "tools", "rejected answers", "labels", "input column"  # fmt: skip
_TOOL_KEYS = ("tool_calls", "tool_call_id", "name")


@dataclass(slots=True)
class Dialogue:
    """What a format may write of one row.

    `system` is one text, `turns` are those before the answer without it, in the chat spelling of roles. `instruction`
    and `input` are those of a row that came in two columns; `rejected` is empty and `label` None where there is none.
    `after` counts turns behind the last answer, which nothing can be trained on.
    """

    system: str
    turns: list[Turn]
    answer: Turn
    instruction: str = ""
    input: str = ""
    rejected: str = ""
    label: bool | None = None
    tools: list[Any] = field(default_factory=list)
    after: int = 0

    @property
    def prompt(self) -> str:
        """Everything before the answer as one text, without the system turn."""
        if len(self.turns) == 1:
            return self.turns[0]["content"]
        return "\n\n".join(turn["content"] for turn in self.turns if turn["content"])

    @property
    def reply(self) -> str:
        """The answer's text."""
        return self.answer["content"]

    def messages(self, *, answered: bool = True) -> list[Turn]:
        """System, earlier turns and, unless left out, the answer, as chat messages."""
        head: list[Turn] = [{"role": "system", "content": self.system}] if self.system else []
        return [*head, *self.turns, *([self.answer] if answered else [])]

    def holds(self) -> set[str]:
        """What a format must be able to say to lose nothing of this row."""
        found = {SYSTEM} if self.system else set()
        if len(self.turns) > 1:
            found.add(TURNS)
        if self.tools or any(key in turn for turn in (*self.turns, self.answer) for key in _TOOL_KEYS[:2]):
            found.add(TOOLS)
        if self.rejected:
            found.add(REJECTED)
        if self.label is not None:
            found.add(LABEL)
        return found


def dialogue_of(row: Row) -> Dialogue:
    """The talk of a row that has been read from any shape."""
    tools = _parsed(row.tools)
    label = {"true": True, "false": False}.get(row.label) if row.shape == "kto" else None
    if not row.turns:
        prompt = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
        turns: list[Turn] = [{"role": "user", "content": prompt}] if prompt else []
        return Dialogue(
            row.system, turns, _said("assistant", row.output), row.instruction, row.input, row.rejected, label, tools
        )
    spoken = [_turn(turn) for turn in row.turns if turn["role"] != "system"]
    if row.rejected or row.shape in ("preference", "openai-preference"):
        before, answer, after = _before_pair(spoken, row), _said("assistant", row.output), 0
    else:
        last = max((place for place, turn in enumerate(spoken) if turn["role"] == "assistant"), default=len(spoken))
        before = spoken[:last]
        answer = spoken[last] if last < len(spoken) else _said("assistant", row.output)
        after = max(0, len(spoken) - last - 1)
    return Dialogue(row.system, before, answer, rejected=row.rejected, label=label, tools=tools, after=after)


def _before_pair(spoken: list[Turn], row: Row) -> list[Turn]:
    """The prompt of a pair: its turns without the answer, which some shapes repeat in it."""
    if spoken and spoken[-1]["role"] == "assistant" and spoken[-1]["content"] == row.output:
        return spoken[:-1]
    return spoken


def _said(role: str, content: str) -> Turn:
    return {"role": role, "content": content}


def _turn(turn: Turn) -> Turn:
    return {"role": turn["role"], "content": turn["content"]} | {key: turn[key] for key in _TOOL_KEYS if turn.get(key)}


def _parsed(tools: str) -> list[Any]:
    if not tools:
        return []
    try:
        found = orjson.loads(tools)
    except orjson.JSONDecodeError:
        return [tools]
    return found if isinstance(found, list) else [found]
