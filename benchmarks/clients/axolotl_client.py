"""Axolotl's own prompt strategies, to the tokens they train on. Arguments: FILE FORMAT."""

import json
import sys
from pathlib import Path

from axolotl.prompt_strategies.chat_template import ChatTemplatePrompter, ChatTemplateStrategy
from axolotl.prompt_strategies.dpo.chatml import intel
from axolotl.prompt_strategies.kto.chatml import argilla
from small_model import TEMPLATE, tokenizer

path, form = sys.argv[1:3]
tokens = tokenizer()
plain = TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
strategy = ChatTemplateStrategy(
    ChatTemplatePrompter(tokens, chat_template=plain, max_length=100_000, field_messages="messages"),
    tokenizer=tokens, train_on_inputs=False, sequence_len=100_000, roles_to_train=["assistant"], train_on_eos="turn",
)  # fmt: skip
render = {"axolotl-dpo": intel(None), "axolotl-kto": argilla(None)}.get(form)
accepted, why = 0, ""
for number, line in enumerate(Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
    row = json.loads(line)
    try:
        if render is None:
            answer = row["messages"][-1]["content"]
            made = strategy.tokenize_prompt(row)
            trained = tokens.decode([token for token in made["labels"] if token != -100])
            whole = trained.startswith(answer)
        else:
            answers = [row[name] for name in ("chosen", "rejected", "completion") if name in row]
            made = render(dict(row))
            rendered = [made[name] for name in ("chosen", "rejected", "completion") if name in made]
            whole = made["prompt"].endswith("assistant\n") and rendered == [f"{answer}<|im_end|>" for answer in answers]
        accepted += whole
        if not whole:
            why = why or f"line {number}: what it trains on is not the answer"
    except Exception as error:
        why = why or f"line {number}: {str(error).splitlines()[0]}"
print(json.dumps({"accepted": accepted, "why": why}))
