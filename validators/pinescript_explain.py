"""What an explanation of a script owes: its inputs with their numbers, its sides, its way out, and no other number."""

from validators.context import Answer
from validators.pinescript.asked import check_account, check_grounding
from validators.pinescript.fences import code_blocks
from validators.pinescript.reading import read_script


def check_task(answer: Answer) -> None:
    """N001, N026 and F004."""
    check_grounding(answer)
    for block in code_blocks(answer.prompt.text):
        check_account(answer, read_script(block.source))
