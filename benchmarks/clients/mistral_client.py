"""mistral-common's validator in fine-tuning mode, row by row. Run in an environment of its own: FILE FORMAT."""

import json
import sys
from pathlib import Path

from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.validator import MistralRequestValidatorV3, ValidationMode

validator = MistralRequestValidatorV3(mode=ValidationMode.finetuning)
accepted, why = 0, ""
for number, line in enumerate(Path(sys.argv[1]).read_text(encoding="utf-8").rstrip("\n").split("\n"), 1):
    try:
        validator.validate_request(ChatCompletionRequest(**json.loads(line)))
        accepted += 1
    except Exception as error:
        why = why or f"line {number}: {str(error).splitlines()[0]}"
print(json.dumps({"accepted": accepted, "why": why}))
