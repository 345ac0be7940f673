"""Examples of leaks for the pages of rules: a file whose rows say which side they are on."""

import json


def example(*rows: tuple[str, str, str], **columns: list[str]) -> str:
    """JSONL of (split, instruction, output), with further columns given as one value per row."""
    lines = []
    for number, (split, instruction, output) in enumerate(rows):
        record = {"instruction": instruction, "input": "", "output": output, "split": split}
        record |= {name: values[number] for name, values in columns.items()}
        lines.append(json.dumps(record))
    return "\n".join(lines)
