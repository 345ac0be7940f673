"""What the methods share that learn from answers they sample themselves."""

from typing import Any

from finetune.data import Example, Source, encode_rows
from finetune.models import Loaded
from finetune.prompts import render_prompt
from finetune.recipe import Recipe
from finetune.rewards import Reward, model_reward, verifier_reward

ENDS = 10  # steps at either end whose rewards are compared


def encode(source: Source, loaded: Loaded, max_length: int) -> tuple[list[Example], list[tuple[str, str]]]:
    """Prompts alone: the answers are the model's own."""
    return encode_rows(source, loaded, max_length, prompt_only=True)


def prompts_dataset(examples: list[Example], tokenizer: Any) -> Any:
    """Rendered prompts, each with its number, by which the reward finds the row."""
    from datasets import Dataset

    return Dataset.from_dict({
        "prompt": [render_prompt(example.row, tokenizer) for example in examples],
        "row": list(range(len(examples))),
    })  # fmt: skip


def as_rendered(trainer: Any) -> Any:
    """A trainer that takes a prompt's special tokens as they stand; adding them again would begin it twice."""

    class Rendered(trainer):
        def _tokenize_prompts(self, prompts: list[str]) -> Any:
            return self.processing_class(text=prompts, add_special_tokens=False)["input_ids"], None, {}

    return Rendered


def reward_of(examples: list[Example], recipe: Recipe) -> Reward:
    """The recipe's reward: the checker, or the reward model in a folder."""
    rows = [example.row for example in examples]
    if recipe.reward == "verifier":
        return verifier_reward(rows)
    return model_reward(recipe.reward, rows, recipe.device)


def sampling_arguments(arguments: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The shared arguments without validation, which sampled answers have none of, and with the sampling."""
    left = ("eval_strategy", "eval_steps", "load_best_model_at_end", "metric_for_best_model", "greater_is_better")
    return {key: value for key, value in arguments.items() if key not in left} | {
        "num_generations": recipe.generations, "max_completion_length": recipe.answer_length,
        "temperature": recipe.temperature, "generation_batch_size": recipe.effective_batch,
    }  # fmt: skip


def measure_rewards(trainer: Any) -> tuple[dict[str, Any], list[str]]:
    """Mean reward of the first steps and of the last."""
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    ends = max(1, min(ENDS, len(rewards) // 2))
    first, last = sum(rewards[:ends]) / ends, sum(rewards[-ends:]) / ends
    return {"reward": {"first": first, "last": last, "steps": ends}}, [
        f"mean reward {first:.3f} in the first {ends} steps, {last:.3f} in the last"
    ]
