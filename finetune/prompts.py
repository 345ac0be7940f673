"""A row as the model reads it: one template, in training, in evaluation and when the model is served.

The template is the tokenizer's chat template and is saved with every adapter. A model that has none is given the one
of the Alpaca releases, written as a chat template, so that any server renders the same bytes.
"""

from typing import Any

from converters.dialogue import Dialogue, dialogue_of
from tapewright.errors import ConfigError
from tapewright.rows import Row

# The question is split at its first empty line into instruction and input, as the checker splits it.
ALPACA = (
    "{{ bos_token or '' }}{% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + (eos_token or '') }}{% if not loop.last %}{{ '\n\n' }}{% endif %}"
    "{% else %}{% set parts = message['content'].split('\n\n', 1) %}{{ '### Instruction:\n' + parts[0] }}"
    "{% if parts | length > 1 %}{{ '\n\n### Input:\n' + parts[1] }}{% endif %}{{ '\n\n### Response:\n' }}{% endif %}{% endfor %}"
)
CHAT, ALPACA_NAME = "chat", "alpaca"


def choose_format(tokenizer: Any, wanted: str) -> str:
    """Give `tokenizer` the template that `wanted` asks for (auto, chat or alpaca) and return which it is.

    Raises ConfigError where chat is asked of a tokenizer without a template.
    """
    has = bool(tokenizer.chat_template)
    if wanted == CHAT and not has:
        raise ConfigError("this tokenizer has no chat template; use response_format=alpaca, or a base model that has one")  # fmt: skip
    if wanted == ALPACA_NAME or not has:
        tokenizer.chat_template = ALPACA
    return ALPACA_NAME if tokenizer.chat_template == ALPACA else CHAT


def render_prompt(row: Row | Dialogue, loaded: Any) -> str:
    """Everything up to where the answer begins. `loaded` is a `models.Loaded` or a tokenizer.

    Special tokens stand in the text: tokenize it with `add_special_tokens=False`, as `encode_prompt` does.
    """
    tokenizer = getattr(loaded, "tokenizer", loaded)
    dialogue = dialogue_of(row) if isinstance(row, Row) else row
    return _apply(tokenizer, dialogue, dialogue.messages(answered=False), True)


def render_answer(row: Row | Dialogue, loaded: Any, answer: str | None = None) -> str:
    """The answer as the model is to write it, closing mark included; `answer` in place of the row's own."""
    tokenizer = getattr(loaded, "tokenizer", loaded)
    dialogue = dialogue_of(row) if isinstance(row, Row) else row
    reply = dialogue.reply if answer is None else answer
    return reply + _closing(tokenizer, dialogue)


def encode_prompt(row: Row | Dialogue, loaded: Any) -> list[int]:
    """Token ids of the prompt."""
    tokenizer = getattr(loaded, "tokenizer", loaded)
    return tokenizer(render_prompt(row, tokenizer), add_special_tokens=False)["input_ids"]


def encode_answer(row: Row | Dialogue, loaded: Any, answer: str | None = None) -> list[int]:
    """Token ids of the answer, encoded alone as they will be generated: no merge reaches into the prompt."""
    tokenizer = getattr(loaded, "tokenizer", loaded)
    return tokenizer(render_answer(row, tokenizer, answer), add_special_tokens=False)["input_ids"]


def _apply(tokenizer: Any, dialogue: Dialogue, messages: list[dict[str, Any]], ask: bool) -> str:
    if not tokenizer.chat_template:
        raise ConfigError("this tokenizer has no chat template; load it with finetune.models.load_model")
    options = {"tools": dialogue.tools} if dialogue.tools else {}
    try:
        return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask, **options)
    except Exception as error:  # a template refuses roles in its own words
        raise ConfigError(f"the chat template of this model cannot render the row: {error}") from error


def _closing(tokenizer: Any, dialogue: Dialogue) -> str:
    """What the template writes behind an answer, up to the token that ends it."""
    mark = "\x02answer\x02"
    said = [*dialogue.messages(answered=False), {"role": "assistant", "content": mark}]
    _, _, tail = _apply(tokenizer, dialogue, said, False).partition(mark)
    end = tokenizer.eos_token or ""
    if end and end in tail:
        return tail[: tail.index(end) + len(end)]
    return tail.rstrip() or end
