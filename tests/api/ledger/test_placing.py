"""Every host works out the same homes for markets, and what they write comes to rest: fair, and nobody's twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.ledger.placing import GONE_S, HostSeen, MarketMove, MarketSeen, follower_of, moves


def host(name: str, serves: str = "*", *, draining: bool = False, silent_s: float = 0.0) -> HostSeen:
    return HostSeen(name, f"http://{name}", serves, 0, 0.0, draining, silent_s)


def market(name: str, wanted: str = "", owner: str = "", *, state: str = "open", pinned: bool = False) -> MarketSeen:
    return MarketSeen(name, f"{owner}:1" if owner else "", bool(owner), wanted, pinned, state, "", 1, 0, 0, 1.0)


def settled(hosts: list[HostSeen], markets: list[MarketSeen]) -> list[MarketSeen]:
    """All hosts write what they work out, in turn, and every move is made at once, until nobody writes any more."""
    for _ in range(200):
        wrote = False
        for one in hosts:
            for move in moves(one.name, hosts, markets):
                markets = [
                    market(seen.name, move.host, move.host, state=seen.state, pinned=seen.is_pinned)
                    if seen.name == move.market and seen.wanted == move.before
                    else seen
                    for seen in markets
                ]
                wrote = True
        if not wrote:
            return markets
    raise AssertionError("it never comes to rest")


def test_markets_without_a_home_are_shared_out() -> None:
    found = settled([host("a"), host("b"), host("c")], [market(f"m{k}") for k in range(12)])
    assert sorted(seen.wanted for seen in found) == ["a"] * 4 + ["b"] * 4 + ["c"] * 4


def test_what_a_dead_host_had_goes_to_the_others_in_one_go() -> None:
    hosts = [host("a"), host("b"), host("dead", silent_s=GONE_S)]
    markets = [market(f"m{k}", ("a", "b", "dead")[k % 3], ("a", "b", "dead")[k % 3]) for k in range(12)]
    one, other = moves("a", hosts, markets), moves("b", hosts, markets)
    assert one == other and len(one) == 4 and sorted(move.host for move in one) == ["a", "a", "b", "b"]


def test_a_host_that_comes_gets_its_share_one_market_at_a_time() -> None:
    markets = [market(f"m{k}", "a", "a") for k in range(5)]
    hosts = [host("a"), host("new")]
    assert moves("a", hosts, markets) == [MarketMove("m0", "new", "a")] and moves("new", hosts, markets) == []
    on_its_way = [market("m0", "new", "a"), *markets[1:]]
    assert moves("a", hosts, on_its_way) == []
    assert sorted(seen.wanted for seen in settled(hosts, markets)) == ["a", "a", "a", "new", "new"]


def test_what_is_left_alone() -> None:
    pinned = [market(f"m{k}", "a", "a", pinned=True) for k in range(4)]
    assert moves("a", [host("a"), host("b")], pinned) == []
    assert moves("a", [host("a")], [market("m", "", "by-hand")]) == [], "no agent looks after it"
    assert moves("a", [host("a")], [market("m", state="closed")]) == []
    assert moves("a", [host("a", "porto")], [market("munich")]) == []
    assert moves("b", [host("a"), host("b")], [market("m", "", "a")]) == [MarketMove("m", "a", "")], (
        "it stays where it is"
    )


def test_a_host_that_is_drained_gives_all_away_and_gets_nothing() -> None:
    hosts = [host("a", draining=True), host("b"), host("c")]
    found = settled(hosts, [market(f"m{k}", "a", "a", pinned=k == 0) for k in range(4)])
    assert sorted(seen.wanted for seen in found) == ["b", "b", "c", "c"]


HOSTS = st.lists(
    st.builds(
        host, st.sampled_from("abcd"), st.sampled_from(["*", "m0,m1", "m2"]), draining=st.booleans(),
        silent_s=st.sampled_from([0.0, 9.0]),
    ),
    min_size=1, max_size=4, unique_by=lambda one: one.name,
)  # fmt: skip
MARKETS = st.lists(
    st.builds(
        market, st.sampled_from([f"m{k}" for k in range(6)]), st.sampled_from(["", "a", "b", "gone"]),
        st.sampled_from(["", "a", "gone"]), state=st.sampled_from(["open", "open", "closed"]), pinned=st.booleans(),
    ),
    max_size=6, unique_by=lambda one: one.name,
)  # fmt: skip


@given(HOSTS, MARKETS)
def test_it_comes_to_rest_with_every_market_at_a_host_that_may_have_it(
    hosts: list[HostSeen], markets: list[MarketSeen]
) -> None:
    found = settled(hosts, markets)
    for seen in found:
        able = {one.name for one in hosts if one.may(seen.name)}
        if seen.state == "open" and able and (seen.wanted or not seen.holder):
            assert seen.wanted in able


@given(HOSTS, MARKETS)
def test_hosts_agree_on_homes(hosts: list[HostSeen], markets: list[MarketSeen]) -> None:
    """Who has no home is given the same one by everybody, whatever order things were read in."""
    living = {one.name for one in hosts if one.silent_s < GONE_S}
    answers = [
        moves(one.name, list(reversed(hosts)) if k else hosts, markets[::-1] if k else markets)
        for k, one in enumerate(hosts)
    ]
    for move in (move for answer in answers for move in answer):
        assert move.host in living
    homes = [[move for move in answer if move.before not in living] for answer in answers]
    assert all(one == homes[0] for one in homes)


def test_a_market_goes_to_the_host_that_has_folded_it_along() -> None:
    hosts = [host("a"), host("b"), host("dead", silent_s=GONE_S)]
    followed = market("m", "dead", "dead")._replace(follower="b")
    others = [market("n", "b", "b"), market("o", "b", "b")]
    assert moves("a", hosts, [followed, *others]) == [MarketMove("m", "b", "dead")], "though it has more already"
    draining = [host("a"), host("b", draining=True), hosts[2]]
    assert moves("a", draining, [followed]) == [MarketMove("m", "a", "dead")]


@given(st.integers(1, 6), st.integers(1, 30))
def test_every_market_is_followed_by_one_other_host(hosts: int, markets: int) -> None:
    living = [host(f"h{k}") for k in range(hosts)]
    for k in range(markets):
        seen = market(f"m{k}", f"h{k % hosts}", f"h{k % hosts}")
        follower = follower_of(seen, living)
        assert (follower == "") == (hosts == 1) and follower != seen.wanted
        assert follower_of(seen, list(reversed(living))) == follower, "the same on every host"
        others = [one for one in living if one.name not in (follower, seen.wanted)]
        if others:  # a host that follows something else comes or goes: nothing moves
            assert follower_of(seen, [one for one in living if one is not others[0]]) == follower
