"""Labels for texts: an encoder such as FinBERT, or any model, with a head of one number per label."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from finetune.data import TEXTS, Example, Source
from finetune.models import Loaded, load_scorer
from finetune.recipe import Recipe
from tapewright.errors import ConfigError
from tapewright.rows import Row

KIND = TEXTS
TASK = "SEQ_CLS"


def text_and_label(row: Row) -> tuple[str, str]:
    """What is classified and as what: a labelled text, or a row of ours by its facts."""
    label = row.label or row.stated.get("label") or row.stated.get("sentiment") or str(row.facts.get("label") or "")
    if row.shape == "text":
        return row.output, label
    return row.input or row.instruction, label


def load(recipe: Recipe, start: str | None, source: Source) -> Loaded:
    """The base with a head for the labels of the data. Raises ConfigError where there are fewer than two."""
    names = sorted({label for _, row in source.rows if (label := text_and_label(row)[1])})
    if len(names) < 2:
        raise ConfigError(f"the rows hold {len(names)} labels; classify needs a column label (or facts with one) and at least two")  # fmt: skip
    return load_scorer(
        recipe.model or None, len(names), adapter=start, quantisation=recipe.quantisation, dtype=recipe.precision,
        device=recipe.device, response_format=recipe.response_format, trainable=True, names=names,
    )  # fmt: skip


def encode(source: Source, loaded: Loaded, max_length: int) -> tuple[list[Example], list[tuple[str, str]]]:
    """Texts as ids; `answer` holds the label's number."""
    places = loaded.model.config.label2id
    kept, left = [], []
    for place, row in source.rows:
        text, label = text_and_label(row)
        ids = loaded.tokenizer(text)["input_ids"]
        if label not in places:
            left.append((place, f"no label among {', '.join(sorted(places))}"))
        elif len(ids) > max_length:
            left.append((place, f"{len(ids):,} tokens, more than max_length {max_length:,}"))
        else:
            kept.append(Example(place, row, ids, [places[label]]))
    return kept, left


def make_trainer(
    model: Any, tokenizer: Any, train: list[Example], validation: list[Example], recipe: Recipe,
    arguments: dict[str, Any], callbacks: list[Any],
) -> Any:  # fmt: skip
    """The plain trainer with class weights: each label counts as if it were as frequent as the others."""
    import torch
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

    count = model.config.num_labels
    weights = (
        torch.tensor(weigh_classes([example.answer[0] for example in train], count)) if recipe.class_weights else None
    )

    class Weighted(Trainer):
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
            labels = inputs.pop("labels")
            outputs = model(**inputs)
            scale = weights.to(outputs.logits.device) if weights is not None else None
            loss = torch.nn.functional.cross_entropy(outputs.logits.float(), labels, weight=scale)
            return (loss, outputs) if return_outputs else loss

    def measures(predicted: Any) -> dict[str, float]:
        return score_labels(predicted.label_ids.tolist(), predicted.predictions.argmax(-1).tolist(), count)

    return Weighted(
        model=model, args=TrainingArguments(**arguments), processing_class=tokenizer, callbacks=callbacks,
        data_collator=DataCollatorWithPadding(tokenizer), compute_metrics=measures, train_dataset=_dataset(train),
        eval_dataset=_dataset(validation) if validation else None,
    )  # fmt: skip


def measure(trainer: Any, validation: list[Example], recipe: Recipe) -> tuple[dict[str, Any], list[str]]:
    """Accuracy and macro F1 on validation, beside those of always saying the most frequent label."""
    found = trainer.evaluate()
    truth = [example.answer[0] for example in validation]
    common = Counter(truth).most_common(1)[0][0]
    trivial = score_labels(truth, [common] * len(truth), trainer.model.config.num_labels)
    scores = {key: found[f"eval_{key}"] for key in ("accuracy", "macro_f1")}
    return {"validation_loss": found["eval_loss"], **scores, "majority": trivial}, [
        f"{len(truth):,} texts of validation: macro F1 {scores['macro_f1']:.3f} (always the commonest label {trivial['macro_f1']:.3f}), "
        f"accuracy {scores['accuracy']:.1%} ({trivial['accuracy']:.1%})"
    ]  # fmt: skip


def weigh_classes(labels: Sequence[int], count: int) -> list[float]:
    """Weight of each class: inverse to its frequency, mean 1 over the rows; 0 where it has none."""
    seen = Counter(labels)
    present = sum(seen[place] > 0 for place in range(count))
    return [len(labels) / (present * seen[place]) if seen[place] else 0.0 for place in range(count)]


def score_labels(truth: Sequence[int], said: Sequence[int], count: int) -> dict[str, float]:
    """Accuracy, and F1 averaged over the classes that occur in truth or were said."""
    scores = []
    for place in range(count):
        right = sum(a == b == place for a, b in zip(truth, said))
        mentions = sum(a == place for a in truth) + sum(b == place for b in said)
        if mentions:
            scores.append(2 * right / mentions)
    return {
        "accuracy": sum(a == b for a, b in zip(truth, said)) / len(truth), "macro_f1": sum(scores) / len(scores),
    }  # fmt: skip


def _dataset(examples: list[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_dict({
        "input_ids": [example.prompt for example in examples],
        "attention_mask": [[1] * len(example.prompt) for example in examples],
        "labels": [example.answer[0] for example in examples],
    })  # fmt: skip
