"""Who may come in, and whose key it is."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from maim_protocol.errors import Refusal
from maim_router.auth import authentication as module
from maim_router.auth.authentication import AuthAnswer, CallbackAuth, KeyFileAuth, OpenAuth
from maim_router.hooks import executor as aside
from maim_router.hooks.callbacks import Hooks

ABOUT = {"api_key": "k", "platform": "qq"}


@dataclass
class Result:
    """The shape of the facade's `AuthResult`."""

    success: bool
    user_id: str | None = None
    error_message: str | None = None


def callbacks(timeout: float = 30.0, **hooks: Any) -> CallbackAuth:
    return CallbackAuth(Hooks(**hooks), timeout)


async def yes(metadata: dict[str, Any]) -> bool:
    return True


async def name(metadata: dict[str, Any]) -> str:
    return "user of " + str(metadata["api_key"])


async def never(metadata: dict[str, Any]) -> bool:
    await asyncio.Event().wait()
    return True


async def test_with_on_auth_alone_the_key_names_the_user() -> None:
    assert await callbacks(on_auth=yes).authenticate(ABOUT) == AuthAnswer("k")


async def test_with_both_the_second_names_the_user() -> None:
    both = callbacks(on_auth=yes, on_auth_extract_user=name)
    assert await both.authenticate(ABOUT) == AuthAnswer("user of k")


@pytest.mark.parametrize("answer", [False, None, "", 0])
async def test_whatever_is_not_true_refuses(answer: object) -> None:
    both = callbacks(on_auth=lambda metadata: answer, on_auth_extract_user=name)
    assert not (await both.authenticate(ABOUT)).user_id


@pytest.mark.parametrize("answer", [{"success": False}, "no", [0], Result("false", "bob")])  # type: ignore[arg-type] # as users err
async def test_what_is_neither_yes_nor_no_refuses_and_is_named(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert await callbacks(on_auth=lambda metadata: answer).authenticate(ABOUT) == AuthAnswer()
    assert "expected bool or AuthResult" in caplog.text


@pytest.mark.parametrize("named", ["half a pair \ud800", "x" * (module.USER_MAX_CHARS + 1)])
async def test_a_user_whose_name_no_bridge_carries_is_refused(named: str) -> None:
    for auth in (
        callbacks(on_auth=lambda metadata: Result(True, named)),
        callbacks(on_auth_extract_user=lambda metadata: named),
    ):
        assert await auth.authenticate(ABOUT) == AuthAnswer()


async def test_a_refusal_says_what_a_bridge_can_carry() -> None:
    auth = callbacks(on_auth=lambda metadata: Result(False, None, "why\ud800" + "!" * 10_000))
    text = (await auth.authenticate(ABOUT)).text
    assert text.startswith("why?!")
    assert len(text) == module.TEXT_MAX_CHARS


@pytest.mark.parametrize("nobody", [None, "", False])
async def test_with_extraction_alone_a_key_that_names_nobody_is_refused(nobody: object) -> None:
    auth = callbacks(on_auth_extract_user=lambda metadata: nobody)
    answer = await auth.authenticate(ABOUT)
    assert (answer.user_id, answer.code) == ("", Refusal.UNAUTHENTICATED)


async def test_with_extraction_alone_a_key_that_names_a_user_is_let_in() -> None:
    auth = callbacks(on_auth_extract_user=lambda metadata: 10001)
    assert (await auth.authenticate(ABOUT)).user_id == "10001"


async def test_a_result_may_name_the_user() -> None:
    auth = callbacks(on_auth=lambda metadata: Result(True, "bob"), on_auth_extract_user=name)
    assert (await auth.authenticate(ABOUT)).user_id == "bob"


async def test_a_result_may_say_why_not() -> None:
    auth = callbacks(on_auth=lambda metadata: Result(False, "bob", "banned"))
    assert await auth.authenticate(ABOUT) == AuthAnswer(text="banned")


@pytest.mark.parametrize("error", [ValueError("k"), SystemExit(1), StopIteration()])
async def test_one_that_raises_refuses_and_the_key_is_not_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def on_auth(metadata: dict[str, Any]) -> bool:
        raise error

    with caplog.at_level(logging.WARNING):
        answer = await callbacks(on_auth=on_auth).authenticate({**ABOUT, "api_key": "s3cret"})
    assert (answer.user_id, answer.code) == ("", Refusal.UNAUTHENTICATED)
    assert "s3cret" not in caplog.text


async def test_one_that_awaits_something_cancelled_refuses() -> None:
    async def on_auth(metadata: dict[str, Any]) -> bool:
        raise asyncio.CancelledError

    assert not (await callbacks(on_auth=on_auth).authenticate(ABOUT)).user_id


async def test_one_that_would_end_the_process_refuses() -> None:
    async def on_auth(metadata: dict[str, Any]) -> bool:
        raise SystemExit(1)

    assert not (await callbacks(on_auth=on_auth).authenticate(ABOUT)).user_id


async def test_a_hanging_async_callback_makes_the_client_come_back_later() -> None:
    answer = await callbacks(0.01, on_auth=never).authenticate(ABOUT)
    assert (answer.user_id, answer.code) == ("", Refusal.ROUTER_UNAVAILABLE)


async def test_a_blocking_callback_holds_up_neither_the_loop_nor_the_others() -> None:
    release = threading.Event()

    def on_auth(metadata: dict[str, Any]) -> bool:
        return metadata["api_key"] == "quick" or release.wait(30)

    auth = callbacks(on_auth=on_auth)
    blocked = asyncio.ensure_future(auth.authenticate(ABOUT))
    async with asyncio.timeout(20):
        assert (await auth.authenticate({**ABOUT, "api_key": "quick"})).user_id == "quick"
    assert not blocked.done()
    release.set()
    assert (await blocked).user_id == "k"


async def test_a_blocking_callback_runs_out_of_time_while_its_thread_hangs() -> None:
    release = threading.Event()
    auth = callbacks(0.01, on_auth=lambda metadata: release.wait(30))
    answer = await auth.authenticate(ABOUT)
    release.set()
    assert answer.code is Refusal.ROUTER_UNAVAILABLE


async def test_threads_that_hang_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONCURRENT_CALLS", 2)
    release, begun = threading.Event(), []

    def on_auth(metadata: dict[str, Any]) -> bool:
        begun.append(metadata["api_key"])
        return release.wait(30)

    auth = callbacks(0.01, on_auth=on_auth)
    answers = [await auth.authenticate({**ABOUT, "api_key": key}) for key in "abc"]
    assert [answer.code for answer in answers] == [Refusal.ROUTER_UNAVAILABLE] * 3
    assert begun == ["a", "b"]
    release.set()
    patient = callbacks(on_auth=on_auth)
    assert (await patient.authenticate(ABOUT)).user_id == "k"


async def test_blocking_callbacks_of_one_address_leave_threads_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_CONCURRENT_CALLS", 8)
    release = threading.Event()

    def on_auth(metadata: dict[str, Any]) -> bool:
        return metadata["api_key"] == "quick" or release.wait(30)

    auth = callbacks(on_auth=on_auth)
    slow = {**ABOUT, "api_key": "slow", "client_ip": "2001:db8::1"}
    hanging = [
        asyncio.ensure_future(auth.authenticate({**slow, "client_ip": f"2001:db8::{n:x}"}))
        for n in range(50)
    ]
    async with asyncio.timeout(20):
        answer = await auth.authenticate({**ABOUT, "api_key": "quick", "client_ip": "1.2.3.4"})
        assert answer.user_id == "quick"
        # Those without a thread are told soon, the others when theirs have answered.
        refused, _ = await asyncio.wait(hanging, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result().code for task in refused} == {Refusal.ROUTER_UNAVAILABLE}
        assert "try again later" in refused.pop().result().text
        release.set()
        answers = await asyncio.gather(*hanging)
    assert 0 < sum(answer.user_id == "slow" for answer in answers) < 50


async def test_many_quick_callbacks_at_once_are_all_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONCURRENT_CALLS", 2)
    auth = callbacks(on_auth=lambda metadata: True)
    answers = await asyncio.gather(*(auth.authenticate(ABOUT) for _ in range(100)))
    assert {answer.user_id for answer in answers} == {"k"}


async def test_async_callbacks_that_hang_take_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONCURRENT_CALLS", 1)

    async def on_auth(metadata: dict[str, Any]) -> bool:
        return metadata["api_key"] == "quick" or await never(metadata)

    auth = callbacks(on_auth=on_auth)
    hanging = [asyncio.ensure_future(auth.authenticate(ABOUT)) for _ in range(5)]
    async with asyncio.timeout(20):
        assert (await auth.authenticate({**ABOUT, "api_key": "quick"})).user_id == "quick"
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


class Callable:
    """An object whose call is a coroutine."""

    async def __call__(self, metadata: dict[str, Any]) -> bool:
        return True


@pytest.mark.parametrize(
    "on_auth",
    [lambda metadata: True, lambda metadata: yes(metadata), functools.partial(yes), Callable()],
    ids=["lambda", "lambda that returns a coroutine", "partial", "object"],
)
async def test_a_callback_may_be_of_any_kind(on_auth: Any) -> None:
    assert (await callbacks(on_auth=on_auth).authenticate(ABOUT)).user_id == "k"


async def test_a_callback_cannot_change_what_the_router_knows() -> None:
    about = dict(ABOUT)
    await callbacks(on_auth=lambda metadata: metadata.clear() or True).authenticate(about)
    assert about == ABOUT


async def test_a_receiver_is_resolved_by_extraction() -> None:
    seen: list[dict[str, Any]] = []

    def extract(metadata: dict[str, Any]) -> str:
        seen.append(metadata)
        return "bob"

    assert await callbacks(on_auth_extract_user=extract).resolve("k", "qq") == "bob"
    assert seen[0].pop("timestamp") > 0
    assert seen == [{"api_key": "k", "platform": "qq", "message_type": "outgoing"}]


async def test_without_extraction_a_receivers_key_is_its_user() -> None:
    assert await callbacks(on_auth=yes).resolve("bob", "qq") == "bob"


async def test_an_open_router_takes_the_key_for_the_user() -> None:
    assert (await OpenAuth().authenticate(ABOUT)).user_id == "k"
    assert await OpenAuth().resolve("bob", "qq") == "bob"
    assert not (await OpenAuth().authenticate({"api_key": ""})).user_id


class Keys:
    """A key file with one key."""

    def authenticate(self, text: str) -> str | None:
        return "alice" if text == "maim_a_secret" else None

    def resolve(self, text: str) -> str | None:
        return "alice" if text in ("maim_a_secret", "a", "alice") else None


async def test_ids_address_and_keys_authenticate() -> None:
    auth = KeyFileAuth(Keys())
    assert (await auth.authenticate({"api_key": "maim_a_secret"})).user_id == "alice"
    assert (await auth.authenticate({"api_key": "a"})).code is Refusal.UNAUTHENTICATED
    assert await auth.resolve("a", "qq") == "alice"
    assert await auth.resolve("nobody", "qq") == ""


async def test_a_thread_that_is_free_takes_the_next_call_and_leaves_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aside, "IDLE_SECONDS", 0.05)
    threads: list[threading.Thread] = []
    auth = callbacks(on_auth=lambda metadata: threads.append(threading.current_thread()) or True)
    for _ in range(3):
        assert (await auth.authenticate(ABOUT)).user_id == "k"
    assert set(threads) == {threads[0]}
    threads[0].join(20)
    assert not threads[0].is_alive()
    assert (await auth.authenticate(ABOUT)).user_id == "k"
