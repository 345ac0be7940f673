"""TRL's own trainers: the file as their train dataset, prepared by them, and one step. Arguments: FILE FORMAT.

A row counts when it is still there after the trainer's preparation and has at least one token that is trained on.
"""

import json
import sys
import tempfile

from datasets import load_dataset
from small_model import model, tokenizer
from transformers.utils import logging
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer

logging.disable_progress_bar()
path, form = sys.argv[1:3]
data = load_dataset("json", data_files=path, split="train")
tokens = tokenizer()
shared: dict = {
    "output_dir": tempfile.mkdtemp(), "max_steps": 1, "per_device_train_batch_size": 2, "report_to": [], "use_cpu": True, "bf16": False,
    "gradient_checkpointing": False, "disable_tqdm": True, "save_strategy": "no",
}  # fmt: skip
why = ""
if form in ("trl", "trl-prompt-completion"):
    loss = {"assistant_only_loss": True} if form == "trl" else {}
    trainer = SFTTrainer(
        model(tokens), SFTConfig(max_length=None, **loss, **shared), train_dataset=data, processing_class=tokens
    )
    accepted = sum(any(label != -100 for label in row) for row in trainer.train_dataset["labels"])
elif form in ("trl-preference", "trl-preference-text"):
    trainer = DPOTrainer(
        model(tokens), args=DPOConfig(max_length=None, **shared), train_dataset=data, processing_class=tokens
    )
    accepted = sum(
        bool(one and two)
        for one, two in zip(trainer.train_dataset["chosen_ids"], trainer.train_dataset["rejected_ids"])
    )
elif form == "trl-unpaired":
    trainer = KTOTrainer(
        model(tokens), args=KTOConfig(max_length=None, **shared), train_dataset=data, processing_class=tokens
    )
    accepted = sum(bool(row) for row in trainer.train_dataset["completion_ids"])
else:
    trainer = GRPOTrainer(
        model(tokens), lambda completions, **_: [float(len(text)) for text in completions],
        args=GRPOConfig(num_generations=2, max_completion_length=4, **shared), train_dataset=data, processing_class=tokens,
    )  # fmt: skip
    accepted = sum(bool(prompt) for prompt in trainer.train_dataset["prompt"])
if not accepted:
    why = f"columns after preparation: {trainer.train_dataset.column_names}"
trainer.train()
print(json.dumps({"accepted": accepted, "why": why}))
