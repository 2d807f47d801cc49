"""Who may take a market: under one configuration, by its own clock, in the order that was wished, patiently."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from api.ledger.configuration import Misfit
from api.ledger.protocol import LedgerFailed, Write
from tests.kit.service.postgres import TTL_S, Server, fresh, holding, server
from tests.kit.service.stores import entry

pytest.importorskip("psycopg", reason="needs psycopg: pip install 'halfhour[postgres]'")


def test_a_host_with_another_configuration_is_refused_before_and_after_it_waits(market: str) -> None:
    ours, theirs = {"needs": "a1", "travel": "b2"}, {"needs": "a1", "travel": "c3"}
    first = holding(market, configuration=ours)
    with pytest.raises(Misfit, match="travel differ") as held:
        holding(market, configuration=theirs, wait_s=5 * TTL_S)
    assert held.value.code == "configuration_misfit" and held.value.details["field"] == "travel"
    first.close()
    with pytest.raises(Misfit):
        holding(market, configuration=theirs)
    with pytest.raises(Misfit, match="needs, travel"):
        holding(market, configuration={"needs": "z", "travel": "z"})
    holding(market, configuration=ours).close()  # who was refused has taken nothing
    holding(market, configuration=theirs, changes_configuration=True).close()
    with pytest.raises(Misfit):
        holding(market, configuration=ours)
    holding(market).close()  # a command of a stopped service says nothing of it


def test_what_hosts_must_have_alike_is_named_by_part_and_never_shown() -> None:
    from api.config import Config
    from api.ledger.configuration import parts_of, require_alike

    plain = Config()
    secret = b"0123456789abcdef0123456789abcdef"
    parts = parts_of(plain, (secret,))
    require_alike(parts, parts_of(Config(), (secret, b"an older one that still opens what it signed")), "munich")
    assert secret.hex() not in str(parts) and secret.decode() not in str(parts)
    others = {
        "needs": plain.model_copy(
            update={"service": plain.service.model_copy(update={"needs": plain.service.needs[::-1]})}
        ),
        "stop_times": plain.model_copy(update={"service": plain.service.model_copy(update={"drop_exit_s": 31})}),
        "travel": plain.model_copy(update={"travel": plain.travel | {"detour": 1.4}}),
    }
    for name, other in others.items():
        with pytest.raises(Misfit) as misfit:
            require_alike(parts, parts_of(other, (secret,)), "munich")
        assert misfit.value.details["field"] == name
    with pytest.raises(Misfit, match="secret"):
        require_alike(parts, parts_of(plain, (secret[::-1],)), "munich")
    at_another_port = plain.model_copy(update={"service": plain.service.model_copy(update={"port": 9})})
    require_alike(parts, parts_of(at_another_port, (secret,)), "munich")


def test_who_is_silent_knows_by_their_own_clock_that_they_may_hold_it_no_longer(market: str) -> None:
    ledger = holding(market)
    assert ledger.is_surely_ours
    time.sleep(TTL_S)
    assert not ledger.is_surely_ours, "others may have taken it since"
    ledger.append(Write()).result()
    assert ledger.is_surely_ours, "nobody has"
    second = holding(market, wait_s=5 * TTL_S)
    assert not ledger.is_surely_ours, "never while another has it"
    second.close()
    ledger.close()


def test_a_market_is_left_to_the_host_that_should_have_it(market: str) -> None:
    from api.ledger.postgres.registry import Registry

    url = market.partition("#")[0]
    registry = Registry(url)
    first = holding(market, node="a", ttl_s=30.0)
    for name in ("a", "b"):
        registry.beat(name, "http://127.0.0.1:1", "*", 1, 0.0)
    assert registry.assign("market", "b", "") and not registry.assign("market", "c", ""), "one of two is the faster"
    assert not first.asked_to_leave(), "nobody is ready to take it"
    with pytest.raises(LedgerFailed):
        holding(market, node="b")
    assert first.asked_to_leave()
    first.close()
    with pytest.raises(LedgerFailed):
        holding(market, node="c")
    second = holding(market, node="b")
    (seen,) = registry.markets()
    assert (seen.holder, seen.wanted) == ("b", "b") and not second.asked_to_leave()
    registry.set_state("market", "closed")
    assert second.asked_to_leave()
    second.close()
    with pytest.raises(LedgerFailed) as closed:
        holding(market, node="b")
    assert closed.value.code == "market_closed"
    registry.set_state("market", "open")
    registry.leave("b")
    holding(market, node="c").close()  # whoever should have it is gone
    registry.close()


def test_who_waits_survives_an_outage_and_is_patient_after_it() -> None:
    """When the database is back every tenure has run out, though every owner lives: nobody takes anything at once."""
    with server() as mortal:
        _outage(mortal)


def _outage(mortal: Server) -> None:
    market = fresh(mortal, "market")
    owner = holding(market, node="a", ttl_s=1.5)
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(holding(market, node="b", wait_s=None)), daemon=True)
    waiting.start()
    time.sleep(0.5)
    mortal.stop()
    time.sleep(2.0)
    mortal.start()
    owner.append(Write(entry(1))).result(timeout=60)
    owner.append(Write(entry(2))).result(timeout=60)
    assert waiting.is_alive() and not found, "the owner goes on"
    owner.close()
    waiting.join(timeout=60)
    assert found and found[0].head() == 2
    found[0].close()
