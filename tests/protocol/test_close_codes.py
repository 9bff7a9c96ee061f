"""Close codes, what to do after each, and reasons that fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.close_codes import REASON_MAX_BYTES, Advice, CloseCode, advice, fit_reason


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 4400, 4401, 4403, 4409, 4000, 4099])
def test_a_client_stays_away_after(code: int) -> None:
    assert advice(code) is Advice.STOP


@pytest.mark.parametrize("code", [1001, 1006, 1009, 1011, 1012, 4100, 4408, 4429, 4503])
def test_a_client_comes_back_after(code: int) -> None:
    assert advice(code) is Advice.RECONNECT


def test_every_code_of_the_edge_has_an_advice() -> None:
    assert all(isinstance(advice(code), Advice) for code in CloseCode)


def test_a_short_reason_stays_as_it_is() -> None:
    assert fit_reason("再见") == "再见"


@given(st.text(st.characters(), max_size=200))
def test_a_reason_always_fits_and_is_cut_between_characters(reason: str) -> None:
    fitted = fit_reason(reason)
    assert len(fitted.encode()) <= REASON_MAX_BYTES
    assert reason.encode("utf-8", "replace").decode().startswith(fitted)
