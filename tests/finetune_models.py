"""A model of a few thousand weights and rows to train it on, made in a second, for every test of `finetune`."""

import json
import random
from pathlib import Path

TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ message['content'] + '<|end|>' }}"
    "{% else %}{{ '<|user|>' + message['content'] + '<|answer|>' }}{% endif %}{% endfor %}"
)
WORDS = ("profit", "loss", "guidance", "margin", "demand", "orders", "costs", "cash")


def make_rows(count: int, seed: int = 1, pairs: bool = False) -> list[dict]:
    """Small questions with answers of a few words; `pairs` adds a rejected answer with a defect."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        word, rises = chance.choice(WORDS), chance.random() < 0.5
        amount = chance.randrange(10, 99)
        text = f"{word.capitalize()} {'rose' if rises else 'fell'} by {amount}%."
        good, bad = ("positive", "negative") if rises else ("negative", "positive")
        row = {
            "id": f"r-{number}", "task_type": "sentiment_analysis", "instruction": "Name the tone.", "input": text,
        }  # fmt: skip
        if pairs:
            row |= {"chosen": f"The tone is {good}.", "rejected": f"The tone is {bad}.", "defect": "flipped_label"}
        else:
            row |= {"output": f"The tone is {good}."}
        rows.append(row)
    return rows


def write_rows(path: Path, rows: list[dict]) -> Path:
    """Rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make_model(folder: Path, seed: int = 0, width: int = 64, template: str = TEMPLATE) -> Path:
    """A Llama with random weights, saved with its tokenizer."""
    from finetune.pretrain import new_model, new_tokenizer

    texts = [text for row in make_rows(50) for text in (row["instruction"], row["input"], row["output"])]
    tokenizer = new_tokenizer(texts, 400, template)
    new_model(tokenizer, width, 2, 2, 128, 256, seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
