"""Who has which answer: one a page that is open, in memory only, and never another's."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from emotion.demo.answers import Answer

# What is kept at once; the page that was used least lately is forgotten first.
MOST, MOST_BYTES = 32, 1_000_000_000


@dataclass
class Session:
    """A page that is open in somebody's browser.

    Attributes:
        token: names its answer in addresses; nobody can guess it.
        answer: the last one; None as long as there is none.
        asked: how often photos were dropped; whoever answers older ones gives up.
        turn: held while one answer is made, so that the next begins with its result.
    """

    token: str = ""
    answer: Answer | None = None
    asked: int = 0
    turn: Lock = field(default_factory=Lock)


class Sessions:
    """Keeps the answers of all pages that are open; may be used from several threads.

    Args:
        most: pages at once.
        most_bytes: of all answers with their photos; the newest is kept in any case.
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes, self._lock = most, most_bytes, Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def of(self, page: str) -> Session:
        """Gives the session of a page, a new one where there is none.

        Args:
            page: what the page calls itself.
        """
        with self._lock:
            session = self._sessions.setdefault(page, Session())
            self._sessions.move_to_end(page)
            self._forget_oldest()
            return session

    def keep(self, page: str, answer: Answer) -> str:
        """Replaces the answer of a page; gives the token of the new one, the old is void.

        A page that was closed meanwhile keeps nothing.
        """
        token = secrets.token_urlsafe(16)
        with self._lock:
            session = self._sessions.get(page)
            if session is not None:
                session.token, session.answer = token, answer
                self._sessions.move_to_end(page)
                self._forget_oldest()
        return token

    def find(self, token: str) -> Answer | None:
        """Gives the answer of a token; None where there is none, or no longer."""
        with self._lock:
            for session in self._sessions.values():
                if session.token and secrets.compare_digest(
                    session.token.encode(), token.encode("utf-8", "replace")
                ):
                    return session.answer
        return None

    def forget(self, page: str) -> None:
        """Drops a page's answer, since the page was closed."""
        with self._lock:
            self._sessions.pop(page, None)

    def _forget_oldest(self) -> None:
        def weight() -> int:
            return sum(s.answer.weight for s in self._sessions.values() if s.answer is not None)

        while len(self._sessions) > self._most or (
            len(self._sessions) > 1 and weight() > self._most_bytes
        ):
            self._sessions.popitem(last=False)
