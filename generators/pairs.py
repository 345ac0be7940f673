"""Preference pairs: the rejected answer has a named defect, and the checker finds just that.

Family and wording of the rejected answer are drawn independently of the chosen one. Which defect a
pair gets is drawn by weight; a defect that does not fit the row, or is not found, or shows more than it implies, gives way to the next.
"""

from generators.defects import CARICATURES, DEFECTS, Scene, defects_of
from generators.situation import Situation
from tapewright.rows import Row
from tapewright.streams import Stream
from templates.specs import load_spec
from validators.check import check_answer
from validators.context import Prompt

TRIES = 5


def make_rejected(
    situation: Situation,
    row: Row,
    prompt: Prompt,
    task: str,
    families: tuple[str, ...],
    rng: Stream,
    form: str = "text",
) -> tuple[str, str, list[str]] | None:
    """(text, defect, codes found) of a certified rejected answer, or None when no defect fits."""
    scene = Scene(situation, row, prompt, task, families, rng, form)
    for name in _order(task, rng):
        defect = DEFECTS[name]
        for _ in range(TRIES):
            text = defect.make(scene)
            if text is None:
                break
            codes = certify(prompt, text, task, name)
            if codes is not None and text != row.output:
                return text, name, codes
    return None


def _order(task: str, rng: Stream) -> list[str]:
    """The defects of a task in the order this row tries them.

    The first is drawn by weight. What it gives way to is never one that a word alone gives away, or
    rows without numbers would pile up there.
    """
    names = list(defects_of(task))
    first = rng.weighted(names, [DEFECTS[name].weight for name in names])
    rest = [name for name in names if name != first and DEFECTS[name].manner != "telling"]
    order = [first]
    while rest:
        choice = rng.weighted(rest, [DEFECTS[name].weight for name in rest])
        rest.remove(choice)
        order.append(choice)
    return order


def certify(prompt: Prompt, text: str, task: str, defect: str) -> list[str] | None:
    """The codes found in a rejected answer when they are the named one and what it implies; else None."""
    found = sorted({finding.code for finding in check_answer(prompt, text, spec=load_spec(task), generated=True)})
    entry = DEFECTS[defect]
    if not entry.codes & set(found) or set(found) - entry.codes - entry.implies:
        return None
    return found


def is_caricature(defect: str) -> bool:
    """True for the defects that a word alone gives away; they are a pool of their own."""
    return defect in CARICATURES
