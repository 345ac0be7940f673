"""What a Hub's refusal means, in one line. Fetching and pushing share it; no address and no header is ever quoted."""

from collections.abc import Iterator, Mapping

LATER = (408, 425, 429, 500, 502, 503, 504)  # answers another try may change

_READING = {
    401: "the Hub wants to know who asks (401): give a token in HF_TOKEN, and accept the dataset's terms if it has some",
    403: "the Hub does not show it to this token (403)",
    404: "the Hub has no such dataset (404)",
    429: "the Hub had too many requests (429), try again in a while",
}


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, the first cause last."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def status_of(error: BaseException) -> int:
    """The HTTP status a Hub answered with; 0 where it did not answer."""
    return next((code for cause in causes_of(error) if (code := getattr(getattr(cause, "response", None), "status_code", 0))), 0)  # fmt: skip


def is_dropped(error: BaseException) -> bool:
    """Whether the connection failed or ended before there was an answer."""
    return not status_of(error) and any(_is_of_transport(cause) or isinstance(cause, (ConnectionError, TimeoutError)) for cause in causes_of(error))  # fmt: skip


def _is_of_transport(error: BaseException) -> bool:
    """An error of the HTTP library, known by name so that it need not be loaded."""
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return status_of(error) in LATER or (is_dropped(error) and "HF_HUB_OFFLINE" not in str(error))


def reason_of(error: BaseException, answers: Mapping[int, str] = _READING) -> str:
    """Why a call failed: what the Hub answered, or what kept it from answering."""
    if status := status_of(error):
        late = f"the Hub is out of order ({status}), try again later"
        return answers.get(status, late if status >= 500 else f"the Hub refuses ({status})")
    if "HF_HUB_OFFLINE" in str(error):
        return "it was not fetched before, and HF_HUB_OFFLINE forbids it now"
    if any(map(_is_of_transport, causes_of(error))):
        last = list(causes_of(error))[-1]
        return f"no connection to the Hub ({str(last).strip() or type(last).__name__})"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
