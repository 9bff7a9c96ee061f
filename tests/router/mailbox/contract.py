"""What every `Mailbox` has to keep; a test class inherits it and gives `open_with`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from maim_router.mailbox import Bounds, Letter, Mailbox

WIDE = Bounds(messages=1_000_000, bytes=1 << 40, total_bytes=1 << 40)
OpenWith = Callable[[Bounds], Mailbox]


def letter(
    number: int,
    user_id: str = "u",
    platform: str = "qq",
    payload: bytes = b'{"n": 1}',
    expires_at: float = 1_000.0,
) -> Letter:
    """A letter whose texts tell where it belongs."""
    return Letter(
        number=number,
        user_id=user_id,
        platform=platform,
        msg_id=f"m{number}",
        type="sys_std",
        payload=payload,
        timestamp=number / 8,
        sender_user="sender",
        sender_platform="wx",
        expires_at=expires_at,
    )


def put(mailbox: Mailbox, one: Letter, *, acknowledged: bool = False) -> asyncio.Future[bool]:
    """Put a letter; the future has what `on_stored` hears, and hears it once."""
    heard: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    mailbox.put(one, heard.set_result, acknowledged=acknowledged)
    return heard


async def fill(mailbox: Mailbox, *letters: Letter) -> None:
    """Put letters, all of which have to be stored."""
    assert all(await asyncio.gather(*(put(mailbox, one) for one in letters)))


class MailboxContract:
    """The sentences of the contract."""

    @pytest.fixture
    def mailbox(self, open_with: OpenWith) -> Mailbox:
        return open_with(WIDE)

    async def test_what_was_put_is_there_in_every_way(self, mailbox: Mailbox) -> None:
        one = letter(1)
        assert await put(mailbox, one)
        assert mailbox.has("u", "qq")
        assert list(mailbox.boxes()) == [("u", "qq")]
        assert list(mailbox.numbers("u", "qq")) == [1]
        assert mailbox.read("u", "qq", [1]) == [one]
        assert mailbox.usage("u", "qq") == (1, len(one.payload))
        assert (mailbox.messages, mailbox.bytes) == (1, len(one.payload))

    async def test_what_was_removed_is_there_in_no_way(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(1))
        mailbox.remove("u", "qq", [1])
        assert not mailbox.has("u", "qq")
        assert list(mailbox.boxes()) == []
        assert list(mailbox.numbers("u", "qq")) == []
        assert mailbox.read("u", "qq", [1]) == []
        assert mailbox.usage("u", "qq") == (0, 0)
        assert (mailbox.messages, mailbox.bytes) == (0, 0)

    async def test_a_letter_is_seen_before_it_is_stored(self, mailbox: Mailbox) -> None:
        heard = put(mailbox, letter(1))
        assert mailbox.has("u", "qq")
        assert mailbox.read("u", "qq", [1]) == [letter(1)]
        assert await heard

    async def test_a_letter_removed_before_it_is_stored_is_gone(self, mailbox: Mailbox) -> None:
        heard = put(mailbox, letter(1))
        mailbox.remove("u", "qq", [1])
        assert not mailbox.has("u", "qq")
        assert await heard
        assert mailbox.read("u", "qq", [1]) == []

    async def test_a_number_may_come_again_after_its_removal(self, mailbox: Mailbox) -> None:
        heard = [put(mailbox, letter(1))]
        mailbox.remove("u", "qq", [1])
        heard.append(put(mailbox, letter(1, payload=b"{}")))
        assert all(await asyncio.gather(*heard))
        assert mailbox.read("u", "qq", [1]) == [letter(1, payload=b"{}")]
        assert mailbox.usage("u", "qq") == (1, 2)

    async def test_numbers_ascend_whatever_order_letters_come_in(self, mailbox: Mailbox) -> None:
        await fill(mailbox, *(letter(number) for number in (5, 2, 9, -3, 7, 0)))
        assert list(mailbox.numbers("u", "qq")) == [-3, 0, 2, 5, 7, 9]

    async def test_letters_are_read_in_the_order_asked_for(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(1), letter(2), letter(3))
        found = mailbox.read("u", "qq", [3, 8, 1])
        assert [one.number for one in found] == [3, 1]

    async def test_boxes_are_apart(self, mailbox: Mailbox) -> None:
        here, there, elsewhere = letter(1), letter(1, platform="wx"), letter(1, user_id="v")
        await fill(mailbox, here, there, elsewhere)
        mailbox.remove("u", "qq", [1])
        assert sorted(mailbox.boxes()) == [("u", "wx"), ("v", "qq")]
        assert mailbox.read("u", "wx", [1]) == [there]
        assert mailbox.read("v", "qq", [1]) == [elsewhere]

    async def test_a_number_that_is_there_already_is_not_taken_again(
        self, mailbox: Mailbox
    ) -> None:
        heard = [put(mailbox, letter(1)), put(mailbox, letter(1, payload=b"other"))]
        assert await asyncio.gather(*heard) == [True, True]
        assert await put(mailbox, letter(1, payload=b"third"))
        assert mailbox.read("u", "qq", [1]) == [letter(1)]
        assert mailbox.messages == 1

    @pytest.mark.parametrize(
        "bounds",
        [
            Bounds(messages=2, bytes=1000, total_bytes=1000),
            Bounds(messages=9, bytes=20, total_bytes=1000),
            Bounds(messages=9, bytes=1000, total_bytes=20),
        ],
        ids=["letters of a box", "bytes of a box", "bytes of all"],
    )
    async def test_no_letter_is_taken_beyond_a_bound(
        self, open_with: OpenWith, bounds: Bounds
    ) -> None:
        mailbox = open_with(bounds)
        await fill(mailbox, letter(1), letter(2))
        assert not await put(mailbox, letter(3))
        assert list(mailbox.numbers("u", "qq")) == [1, 2]
        mailbox.remove("u", "qq", [1])
        assert await put(mailbox, letter(3))

    async def test_another_box_has_room_of_its_own(self, open_with: OpenWith) -> None:
        mailbox = open_with(Bounds(messages=1, bytes=8, total_bytes=16))
        await fill(mailbox, letter(1), letter(1, user_id="v"))
        assert not await put(mailbox, letter(1, user_id="w"))

    async def test_what_was_acknowledged_is_taken_beyond_every_bound(
        self, open_with: OpenWith
    ) -> None:
        mailbox = open_with(Bounds(messages=0, bytes=0, total_bytes=0))
        assert not await put(mailbox, letter(1))
        assert await put(mailbox, letter(1), acknowledged=True)
        assert mailbox.read("u", "qq", [1]) == [letter(1)]

    async def test_removing_what_is_not_there_means_nothing(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(2))
        mailbox.remove("u", "qq", [1, 3])
        mailbox.remove("v", "qq", [2])
        mailbox.remove("u", "qq", [])
        assert list(mailbox.numbers("u", "qq")) == [2]

    async def test_a_letter_leaves_when_its_end_has_come(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(1, expires_at=20.0), letter(2, expires_at=10.0))
        assert mailbox.expire(9.9) == []
        assert mailbox.expire(10.0) == [("u", "qq", 2, "m2")]
        assert mailbox.expire(10.0) == []
        assert list(mailbox.numbers("u", "qq")) == [1]
        assert mailbox.expire(1e12) == [("u", "qq", 1, "m1")]
        assert not mailbox.has("u", "qq")

    async def test_a_letter_may_expire_before_it_is_stored(self, mailbox: Mailbox) -> None:
        heard = put(mailbox, letter(1, expires_at=1.0))
        assert mailbox.expire(1.0) == [("u", "qq", 1, "m1")]
        assert await heard
        assert mailbox.messages == 0

    async def test_no_more_letters_expire_at_once_than_asked_for(self, mailbox: Mailbox) -> None:
        letters = [letter(n, user_id=f"u{n % 3}", expires_at=1.0) for n in range(10)]
        await fill(mailbox, *letters)
        rounds = [mailbox.expire(1.0, most=4) for _ in range(4)]
        assert [len(gone) for gone in rounds] == [4, 4, 2, 0]
        numbers = sorted(number for gone in rounds for _, _, number, _ in gone)
        assert numbers == list(range(10))

    async def test_a_letter_without_end_stays(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(1, expires_at=float("inf")))
        assert mailbox.expire(1e12) == []

    async def test_numbers_have_64_bits(self, mailbox: Mailbox) -> None:
        ends = [-(1 << 63), (1 << 63) - 1]
        await fill(mailbox, *map(letter, ends))
        assert list(mailbox.numbers("u", "qq")) == ends
        assert [one.number for one in mailbox.read("u", "qq", ends)] == ends
        with pytest.raises(OverflowError):
            mailbox.put(letter(1 << 63), lambda _: None)
        assert mailbox.usage("u", "qq") == (2, 2 * len(letter(1).payload))

    async def test_any_text_and_any_bytes_come_back(self, mailbox: Mailbox) -> None:
        text = "用户\0\ud800'\U0001f600"
        odd = letter(1, user_id=text, platform=text, payload=bytes(range(256)))
        await fill(mailbox, odd)
        assert list(mailbox.boxes()) == [(text, text)]
        assert mailbox.read(text, text, [1]) == [odd]

    async def test_what_was_given_out_does_not_change(self, mailbox: Mailbox) -> None:
        await fill(mailbox, letter(1), letter(2))
        boxes, numbers = mailbox.boxes(), mailbox.numbers("u", "qq")
        mailbox.remove("u", "qq", [1, 2])
        assert list(boxes) == [("u", "qq")]
        assert list(numbers) == [1, 2]

    async def test_closing_stores_what_was_put_and_refuses_the_rest(self, mailbox: Mailbox) -> None:
        heard = [put(mailbox, letter(number)) for number in range(100)]
        await mailbox.close()
        assert all(one.done() and one.result() for one in heard)
        assert not await put(mailbox, letter(100), acknowledged=True)
        await mailbox.close()
