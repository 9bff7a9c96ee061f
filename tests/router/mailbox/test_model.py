"""Both mailboxes under every order of calls, beside a plain dictionary."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maim_router.mailbox import Bounds, FileMailbox, Letter, Mailbox, MemoryMailbox
from tests.router.mailbox.contract import letter

BOUNDS = Bounds(messages=4, bytes=20, total_bytes=40)
USERS = st.sampled_from(["u", "v", "w"])
PLATFORMS = st.sampled_from(["qq", "wx"])
NUMBERS = st.integers(0, 9)


class MailboxModel(RuleBasedStateMachine):
    """Few users, few numbers and little room: collisions are the rule."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.letters: dict[tuple[str, str, int], Letter] = {}
        self.heard: list[list[bool]] = []
        self.expected: list[bool] = []
        self.now = 0
        self.mailbox = self.open()

    def open(self) -> Mailbox:
        """Open the mailbox of this test."""
        raise NotImplementedError

    def box(self, user_id: str, platform: str) -> list[Letter]:
        """What has to be in a box, ascending."""
        letters = (one for key, one in self.letters.items() if key[:2] == (user_id, platform))
        return sorted(letters, key=lambda one: one.number)

    def fits(self, one: Letter) -> bool:
        """Whether there is room for a letter."""
        here = [len(other.payload) for other in self.box(one.user_id, one.platform)]
        everywhere = sum(len(other.payload) for other in self.letters.values())
        size = len(one.payload)
        return len(here) < 4 and sum(here) + size <= 20 and everywhere + size <= 40

    async def _do(self, name: str, *arguments: object, **named: object) -> object:
        return getattr(self.mailbox, name)(*arguments, **named)

    def do(self, name: str, *arguments: object, **named: object) -> object:
        """Call the mailbox in a turn of its event loop."""
        return self.loop.run_until_complete(self._do(name, *arguments, **named))

    @rule(
        number=NUMBERS,
        user_id=USERS,
        platform=PLATFORMS,
        size=st.integers(0, 12),
        lives=st.integers(0, 5),
        acknowledged=st.booleans(),
    )
    def a_letter_is_put(
        self,
        number: int,
        user_id: str,
        platform: str,
        size: int,
        lives: int,
        acknowledged: bool,
    ) -> None:
        one = letter(number, user_id, platform, bytes(size), float(self.now + lives))
        key = (user_id, platform, number)
        taken = key in self.letters or acknowledged or self.fits(one)
        if taken:
            self.letters.setdefault(key, one)
        self.expected.append(taken)
        self.heard.append([])
        self.do("put", one, self.heard[-1].append, acknowledged=acknowledged)

    @rule(user_id=USERS, platform=PLATFORMS, numbers=st.lists(NUMBERS))
    def letters_are_removed(self, user_id: str, platform: str, numbers: list[int]) -> None:
        for number in numbers:
            self.letters.pop((user_id, platform, number), None)
        self.do("remove", user_id, platform, numbers)

    @rule(user_id=USERS, platform=PLATFORMS, numbers=st.lists(NUMBERS))
    def letters_are_read(self, user_id: str, platform: str, numbers: list[int]) -> None:
        places = [(user_id, platform, number) for number in numbers]
        expected = [self.letters[place] for place in places if place in self.letters]
        assert self.do("read", user_id, platform, numbers) == expected

    @rule(passed=st.integers(0, 3), most=st.integers(1, 4))
    def time_passes(self, passed: int, most: int) -> None:
        self.now += passed
        overdue = [key for key, one in self.letters.items() if one.expires_at <= self.now]
        gone = self.do("expire", float(self.now), most)
        assert isinstance(gone, list)
        assert len(gone) == min(most, len(overdue))
        for user_id, platform, number, msg_id in gone:
            assert (user_id, platform, number) in overdue
            assert self.letters.pop((user_id, platform, number)).msg_id == msg_id

    @rule()
    def the_mailbox_is_closed(self) -> None:
        self.loop.run_until_complete(self.mailbox.close())
        assert self.heard == [[taken] for taken in self.expected]
        self.mailbox = self.open()

    @invariant()
    def every_box_is_what_it_has_to_be(self) -> None:
        keys = {key[:2] for key in self.letters}
        assert set(self.mailbox.boxes()) == keys
        for user_id in ("u", "v", "w"):
            for platform in ("qq", "wx"):
                self.compare(user_id, platform)
        sizes = [len(one.payload) for one in self.letters.values()]
        assert (self.mailbox.messages, self.mailbox.bytes) == (len(sizes), sum(sizes))

    def compare(self, user_id: str, platform: str) -> None:
        """Compare one box with the dictionary."""
        expected = self.box(user_id, platform)
        numbers = self.mailbox.numbers(user_id, platform)
        size = sum(len(one.payload) for one in expected)
        assert list(numbers) == [one.number for one in expected]
        assert self.mailbox.has(user_id, platform) == bool(expected)
        assert self.mailbox.usage(user_id, platform) == (len(expected), size)
        assert self.mailbox.read(user_id, platform, numbers) == expected

    def teardown(self) -> None:
        self.loop.run_until_complete(self.mailbox.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


class MemoryModel(MailboxModel):
    """In memory, where closing forgets everything."""

    def open(self) -> Mailbox:
        self.letters.clear()
        return MemoryMailbox(BOUNDS)


class FileModel(MailboxModel):
    """In a file, where closing forgets nothing."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        super().__init__()

    def open(self) -> Mailbox:
        return FileMailbox(Path(self.folder.name) / "box.db", BOUNDS)

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestMemoryModel = MemoryModel.TestCase
TestMemoryModel.settings = settings(max_examples=100, stateful_step_count=40)
TestFileModel = FileModel.TestCase
TestFileModel.settings = settings(max_examples=40, stateful_step_count=40)
