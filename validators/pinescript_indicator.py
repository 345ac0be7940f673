"""What an answer with an indicator owes: the script that was asked for, and a true account of it."""

from validators.context import Answer
from validators.pinescript.asked import check_script_answer


def check_task(answer: Answer) -> None:
    """Family P and N025, F003, F004, N013."""
    check_script_answer(answer, "indicator")
