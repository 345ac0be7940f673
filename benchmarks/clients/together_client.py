"""Together's own check of a file before it is uploaded. Run in an environment of its own: FILE FORMAT."""

import json
import sys

from together.utils import check_file

path = sys.argv[1]
found = check_file(path)
count = found.get("num_samples") or 0
ok = bool(found.get("is_check_passed"))
print(json.dumps({"accepted": count if ok else 0, "why": "" if ok else str(found.get("message"))}))
