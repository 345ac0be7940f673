"""Evaluation with models that answer: the embedded one here, and servers that behave and misbehave."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from cli import cli
from converters.dialogue import dialogue_of
from finetune.evaluation import endpoint
from finetune.evaluation.answering import answer_all, measure_loss, with_examples
from finetune.evaluation.cases import read_cases
from finetune.evaluation.endpoint import ask_all
from finetune.evaluation.grade import Said
from generators.config import Config
from generators.produce import produce
from tapewright.errors import ConfigError, NetworkError

torch = pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    produce(Config(size=12, seed=13, weights=(("sentiment_analysis", 1.0),)), path)
    return read_cases([str(path)])[0]


@pytest.fixture(scope="module")
def loaded():
    from finetune.models import load_model

    return load_model(None)


# --- a model here ----------------------------------------------------------------------------------


def test_answers_do_not_depend_on_the_batch(cases, loaded):
    dialogues = [dialogue_of(case.row) for case in cases]
    one = answer_all(loaded, dialogues, max_new_tokens=12, batch=1)
    many = answer_all(loaded, dialogues, max_new_tokens=12, batch=5)
    assert [said.text for said in one] == [said.text for said in many]
    assert all(0 < said.tokens <= 12 and said.seconds > 0 for said in one)
    assert all(said.finished or said.tokens == 12 for said in one)


def test_the_loss_is_that_of_the_answer_alone(cases, loaded):
    from finetune.prompts import encode_answer, encode_prompt

    said = [Said("") for _ in cases]
    measure_loss(loaded, cases, said, batch=4)
    for case, one in list(zip(cases, said))[:4]:
        prompt, reply = encode_prompt(case.row, loaded), encode_answer(case.row, loaded)
        with torch.no_grad():
            logits = loaded.model(torch.tensor([prompt + reply])).logits[0].log_softmax(-1)
        expected = -sum(float(logits[len(prompt) - 1 + at, token]) for at, token in enumerate(reply))
        assert one.loss == pytest.approx(expected, rel=1e-3) and one.loss_tokens == len(reply)


def test_a_prompt_past_the_context_is_an_error_that_says_so(cases, loaded):
    dialogue = dialogue_of(cases[0].row)
    dialogue.turns[0]["content"] = "price " * 5_000
    with pytest.raises(ConfigError, match="row 0: the prompt has .* tokens and embedded reads"):
        answer_all(loaded, [dialogue], max_new_tokens=5, batch=1)


def test_shown_rows_are_never_the_one_asked(cases):
    for case, dialogue in zip(cases, with_examples(cases, cases, 3)):
        assert len(dialogue.turns) == 7 and dialogue.turns[-1]["role"] == "user"
        assert case.row.output not in [turn["content"] for turn in dialogue.turns]


def test_the_embedded_model_is_evaluated_from_the_command_line(cases, tmp_path):
    rows = tmp_path / "rows.jsonl"
    produce(Config(size=6, seed=14, weights=(("sentiment_analysis", 1.0),)), rows)
    arguments = ["evaluate", "tiny=", "--data", str(rows), "--max-new-tokens", "8", "--json-rows", "2", "--few-shot", "1", "-o", str(tmp_path / "out"), "--json"]  # fmt: skip
    said = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert said.exit_code == 0
    measures = json.loads(said.stdout)["measures"]
    assert measures["tiny"]["perplexity"]["value"] > 1 and measures["tiny"]["json_slots"]["n"] == 2
    assert "tiny, 1 shown" in measures
    assert len((tmp_path / "out" / "answers-tiny.jsonl").read_text().splitlines()) == 6


# --- a server ------------------------------------------------------------------------------------


@contextmanager
def _server(*replies):
    """A server that gives `replies` one after another, the last one for ever; yields its address and what it was sent."""
    sent: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, reply, headers = replies[min(len(sent), len(replies) - 1)]
            sent.append({"path": self.path, "key": self.headers.get("Authorization"), **json.loads(body)})
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply if isinstance(reply, bytes) else json.dumps(reply).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", sent
    finally:
        server.shutdown()
        server.server_close()


def _said(text, reason="stop"):
    return 200, {"choices": [{"message": {"content": text}, "finish_reason": reason}], "usage": {"completion_tokens": 7}}, {}  # fmt: skip


def test_a_server_is_asked_as_chat_and_its_answers_are_scored(cases, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "canary-token")
    rows = tmp_path / "rows.jsonl"
    produce(Config(size=5, seed=15, weights=(("sentiment_analysis", 1.0),)), rows)
    with _server(_said("Neutral.")) as (url, sent):
        arguments = ["evaluate", "--endpoint", url, "--endpoint-model", "m", "--data", str(rows), "--json-rows", "0", "-o", str(tmp_path / "out")]  # fmt: skip
        said = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert said.exit_code == 0 and "sentiment accuracy" in said.output
    assert len(sent) == 5 and sent[0]["path"] == "/v1/chat/completions" and sent[0]["key"] == "Bearer canary-token"
    assert sent[0]["temperature"] == 0 and sent[0]["messages"][-1]["role"] == "user"
    written = said.output + "".join(path.read_text() for path in (tmp_path / "out").glob("*.[jm]*"))
    assert "canary-token" not in written


def test_a_busy_server_is_asked_again_and_a_cut_off_answer_is_seen(cases, monkeypatch):
    monkeypatch.setattr(endpoint, "WAIT", 0.01)
    replies = [(503, {}, {}), (429, {}, {"Retry-After": "0.01"}), (0, "", {}), _said("Positive", "length")]
    with _server(*replies) as (url, sent):
        (said,) = ask_all(url, "m", [dialogue_of(cases[0].row)], max_new_tokens=5)
    assert len(sent) == 4 and said.text == "Positive" and not said.finished and said.tokens == 7


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        ((401, {"error": {"message": "bad key"}}, {}), ConfigError, "status 401, bad key"),
        ((404, b"<html>", {}), ConfigError, "status 404"),
        ((500, {}, {}), NetworkError, "4 attempts (status 500)"),
        ((200, b"not json", {}), NetworkError, "4 attempts"),
        ((200, {"choices": []}, {}), NetworkError, "without choices"),
        ((200, ["odd"], {}), NetworkError, "without choices"),
    ],
)
def test_a_server_that_misbehaves_is_one_line(cases, monkeypatch, reply, kind, message):
    monkeypatch.setattr(endpoint, "WAIT", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", "canary-token")
    with _server(reply) as (url, _), pytest.raises(kind) as error:
        ask_all(url, "m", [dialogue_of(cases[0].row)], max_new_tokens=5)
    assert message in str(error.value) and "canary-token" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_no_server_at_all_is_one_line(cases, monkeypatch):
    monkeypatch.setattr(endpoint, "WAIT", 0.01)
    with pytest.raises(NetworkError, match="is the server up"):
        ask_all("http://127.0.0.1:9/v1", "m", [dialogue_of(cases[0].row)], max_new_tokens=5)
    with pytest.raises(ConfigError, match="no address"):
        ask_all("nonsense", "m", [dialogue_of(cases[0].row)], max_new_tokens=5)
