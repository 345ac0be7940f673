"""The house keeps its shape: import direction, light start, packaging, documentation of commands."""

import ast
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ["tapewright", "market", "templates", "validators", "generators", "converters", "finetune", "assistant", "cli"]
HEAVY = {"torch": "finetune", "transformers": "finetune", "trl": "finetune", "pybit": "market/bybit.py"}


def _sources():
    for room in ORDER[:-1]:
        yield from sorted((ROOT / room).rglob("*.py"))
    yield ROOT / "cli.py"


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("path", list(_sources()), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name in _imports(path):
        top = name.split(".")[0]
        if top == "tapewright" and room != "tapewright":
            continue
        if top in ORDER and top != room:
            assert ORDER.index(top) < ORDER.index(room), f"{path} imports {name}, which lies above it"
        for library, home in HEAVY.items():
            if top == library:
                assert str(path.relative_to(ROOT)).startswith(home), f"{library} belongs in {home}, not in {path}"


def test_direction_check_can_fail():
    tree = "from generators.make import Maker"
    assert "generators.make" in list(_imports_of_text(tree))
    assert ORDER.index("generators") > ORDER.index("validators")


def _imports_of_text(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield node.module


def test_files_stay_readable():
    long = {str(p.relative_to(ROOT)): n for p in _sources() if (n := len(p.read_text().splitlines())) > 480}
    assert not long, f"files that hold two ideas? {long}"


def test_datasets_holds_data_only():
    assert not list((ROOT / "datasets").rglob("*.py"))


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("cli", ("torch", "transformers", "datasets", "polars", "pandas", "pybit", "numpy")),
        ("cli, converters.hub.command", ("datasets", "huggingface_hub", "pyarrow", "yaml")),
    ],
)
def test_nothing_heavy_is_imported_until_it_is_needed(modules, heavy):
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_no_generator_uses_the_global_random_state():
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\brandom\.(random|choice|randint|seed|shuffle|uniform)\(", text), path
        assert not re.search(r"(?<![\w.])hash\(", text), f"{path}: hash() differs between runs"


def test_every_command_is_in_the_readme():
    import cli

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in cli.cli.commands:
        assert f"`{name}" in readme or f"cli.py {name}" in readme, f"README does not mention {name}"


@pytest.mark.slow
def test_wheel_beside_a_package_called_validators(tmp_path):
    """One environment holds our wheel and another distribution with a top-level `validators`."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    wheel = next(tmp_path.glob("*.whl"))
    env = tmp_path / "env"
    venv.create(env, with_pip=True, system_site_packages=False)
    python = env / "bin" / "python"
    site = next((env / "lib").glob("python*/site-packages"))
    # the dependencies come from this environment; only the two packages under test are installed
    here = next(p for p in map(Path, sys.path) if p.name == "site-packages")
    (site / "dependencies.pth").write_text(f"{here}\n")
    (site / "validators").mkdir()
    (site / "validators" / "__init__.py").write_text("def url(text): return text.startswith('http')\n")
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True
    )
    library = (
        "import validators; assert validators.url('http://x'); import tapewright; "
        "print([f.code for f in tapewright.check_text('Q', '4h RSI(14): 61.2.', 'On 4h RSI(14) is 161.2.')])"
    )
    # In one process only one `validators` can be imported, so the library call is made in its own.
    call = (
        "import tapewright; "
        "print([f.code for f in tapewright.check_text('Q', '4h RSI(14): 61.2.', 'On 4h RSI(14) is 161.2.')])"
    )
    del library
    out = subprocess.run([python, "-c", call], cwd=tmp_path, capture_output=True, text=True)
    assert out.stdout.strip() == "['N008']", out.stderr
    other = subprocess.run(
        [python, "-c", "import validators; print(validators.url('http://x'))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert other.stdout.strip() == "True", other.stderr
    command = subprocess.run(
        [env / "bin" / "tapewright", "generate", "-n", "6", "-o", "out.jsonl", "-j", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert command.returncode == 0, command.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 6
