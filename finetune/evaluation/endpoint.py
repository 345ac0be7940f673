"""Answers of a server that speaks OpenAI's chat completions: any of those that serve open models."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from converters.dialogue import Dialogue
from finetune.evaluation.grade import Said
from tapewright.errors import ConfigError, NetworkError

ATTEMPTS = 4
WAIT = 0.5  # seconds before the first repetition, doubled each time
_AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504))


def ask_all(
    url: str, model: str, dialogues: Sequence[Dialogue], *, max_new_tokens: int, timeout: float = 120.0, at_once: int = 4,
    watch: Callable[[int], None] | None = None,
) -> list[Said]:  # fmt: skip
    """One answer per dialogue, at temperature 0. `url` ends before `/chat/completions`; the key is OPENAI_API_KEY's.

    Raises NetworkError when the server does not answer usefully within the attempts, ConfigError when it refuses.
    """
    address = f"{url.rstrip('/')}/chat/completions"

    def ask(dialogue: Dialogue) -> Said:
        said = _ask(address, model, dialogue, max_new_tokens, timeout)
        if watch:
            watch(1)
        return said

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(ask, dialogues))


def _ask(address: str, model: str, dialogue: Dialogue, max_new_tokens: int, timeout: float) -> Said:
    body = json.dumps({
        "model": model, "messages": dialogue.messages(answered=False), "max_tokens": max_new_tokens, "temperature": 0, "seed": 0,
    }).encode()  # fmt: skip
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    why = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(WAIT * 2 ** (attempt - 1))
        began = time.perf_counter()
        try:
            request = urllib.request.Request(address, body, headers)
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                return _read(json.load(reply), time.perf_counter() - began, address)
        except urllib.error.HTTPError as error:
            why = f"status {error.code}"
            if error.code not in _AGAIN:
                raise ConfigError(f"{address} refuses: {why}, {_told(error)}") from error
            time.sleep(min(30.0, _wait_of(error)))
        except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError) as error:
            why = str(getattr(error, "reason", error)) or type(error).__name__
        except ValueError as error:
            raise ConfigError(f"{address} is no address of a server ({error})") from error
    raise NetworkError(f"{address} did not answer usefully in {ATTEMPTS} attempts ({why}); is the server up, and --endpoint right?")  # fmt: skip


def _read(found: Any, seconds: float, address: str) -> Said:
    try:
        choice = found["choices"][0]
        text = choice["message"]["content"] or ""
    except (KeyError, IndexError, TypeError) as error:
        raise NetworkError(f"{address} answered without choices[0].message.content; is it an OpenAI-compatible server?") from error  # fmt: skip
    tokens = (found.get("usage") or {}).get("completion_tokens") or 0
    return Said(str(text).strip(), choice.get("finish_reason") != "length", int(tokens), seconds)


def _told(error: urllib.error.HTTPError) -> str:
    """The server's own words, shortened; never the request, which carries the key."""
    try:
        found = json.load(error)
        message = found.get("error", found)
        return str(message.get("message", message) if isinstance(message, dict) else message)[:200]
    except (ValueError, AttributeError, OSError):
        return error.reason if isinstance(error.reason, str) else "no reason given"


def _wait_of(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "") if error.headers else ""
    return float(value) if value.replace(".", "", 1).isdigit() else 0.0
