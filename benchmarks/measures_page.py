"""Write docs/evaluate.md from the measures: python -m benchmarks.measures_page"""

from pathlib import Path

from finetune.evaluation.measures import MEASURES

PAGE = Path(__file__).parents[1] / "docs" / "evaluate.md"
_HEAD = """# What `evaluate` measures

Each row is asked once, greedily. The answer is read by the checker of `validate`, from its printed text alone.

**Slots.** `templates/<task>/task.toml` names what an answer of a task must state; of these, the prompt lets a reader
derive some. A slot is *right* when every claim of its kind in the answer agrees with what follows from the prompt to
half a unit of the last digit shown, *wrong* when one does not (a range of guesses, or a number said twice with two
values, is wrong), *missing* when there is none. A value the prompt prints is a copy and counts apart. Tasks without
slots have one of their own: the label of a sentiment, the worked example of an explanation whose own row has one, the
script of a PineScript task.

**Nothing is nothing.** An answer without words, or with the same words over and over, has every slot missing, is
hallucinated, not safe, not well formed and names no label.

**Intervals.** 95 % percentile intervals of 2,000 bootstrap resamples. Rows of one group (a time block, a subject) are
drawn together. Differences between models use the same rows in the same resamples; one whose interval excludes 0 is
called better or worse. At its ceiling a measure carries a star.

**Wins.** Row by row: more slots right wins, else fewer findings of the checker; a tie counts half.

**Second scorer.** The prompt with `Answer only with a JSON object {"…": …}`; the object is compared with the row's facts
by code that uses nothing of the checker. Every key of the task is asked for, so that the question gives no answer away;
where null is due, a value that is not the row's own counts as one wrong. What was the gate of the data, or the reward of a run, does not judge alone:
where slot accuracy rises and this does not, the model has learnt the checker. With several models, named in the order of
their training, a table shows how far the two scorers drift apart.

| measure | better | definition |
|---|---|---|
"""
_SETS = """
## Public sentiment sets

| set | labels |
|---|---|
| `fpb` Financial PhraseBank | positive, neutral, negative |
| `fiqa` FiQA 2018 | a score of −1 to 1: negative below −0.1, positive from 0.1 |
| `tfns` Twitter Financial News Sentiment | bearish is negative, bullish positive |
| `nwgi` News with GPT instructions | seven steps; the mild ones are neutral |

`evaluate --sentiment tfns=train.csv MODEL` asks for one of three labels in words. With lm-evaluation-harness the labels
are scored by likelihood instead:

```sh
TAPEWRIGHT_TFNS=train.csv lm_eval --model hf --model_args pretrained=MODEL --include_path finetune/lm_eval --tasks tapewright_tfns
```
"""


def page() -> str:
    """The page as text."""
    way = {True: "more", False: "less", None: "–"}
    lines = [f"| {m.title} | {way[m.higher_is_better]} | {m.definition} |" for m in MEASURES]
    return _HEAD + "\n".join(lines) + "\n" + _SETS


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
