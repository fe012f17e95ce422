"""Random streams: the published generator, keyed so that no stream's draws depend on another's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels import streams
from synthpop_gb.kernels._jit import njit

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
words = st.integers(0, MASK)


def mix(x):
    """SplitMix64's finaliser in Python integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def key(seed, zone, replicate, purpose):
    """The key of a stream in Python integers."""
    k = mix((seed + GAMMA) & MASK)
    k = mix(k ^ zone)
    k = mix((k + replicate * GAMMA) & MASK)
    return mix((k + purpose * GAMMA) & MASK)


@njit
def draws(state, n):
    """(n,) uint64."""
    out = np.empty(n, np.uint64)
    for i in range(n):
        out[i] = streams._next(state)
    return out


def test_the_generator_is_splitmix64():
    # first outputs for seed 1234567 of the reference implementation (Vigna, https://prng.di.unimi.it/splitmix64.c)
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert draws(np.array([1234567], np.uint64), 5).tolist() == expected


@given(st.integers(0, 2**40), st.lists(words, min_size=1, max_size=4), st.integers(0, 1000), st.integers(1, 9))
def test_keys_are_those_of_the_formula(seed, zones, replicate, purpose):
    found = streams.stream_keys(seed, np.array(zones, np.uint64), replicate, purpose)
    assert found.tolist() == [key(seed, z, replicate, purpose) for z in zones]


def test_keys_differ_in_every_argument():
    zones = np.arange(200, dtype=np.uint64)
    keys = [
        streams.stream_keys(seed, zones, replicate, purpose)
        for seed in range(10)
        for replicate in range(10)
        for purpose in (streams.WHOLE, streams.PLACE, streams.SETTLE)
    ]
    assert len(np.unique(np.concatenate(keys))) == 200 * 10 * 10 * 3


@given(words)
def test_uniforms_are_53_bits_in_the_half_open_interval(state):
    u = streams.next_uniform(np.array([state], np.uint64))
    assert u == (mix((state + GAMMA) & MASK) >> 11) / 2**53
    assert 0 <= u < 1


@given(words, st.integers(1, 2**32 - 1))
def test_next_below_is_in_range(state, n):
    assert 0 <= streams.next_below(np.array([state], np.uint64), n) < n


def test_draws_are_even_and_unrelated_across_neighbouring_streams():
    keys = streams.stream_keys(1, np.arange(4000, dtype=np.uint64), 0, streams.WHOLE)
    u = np.array([[streams.next_uniform(k) for _ in range(3)] for k in keys.reshape(-1, 1).copy()])
    assert np.abs(np.histogram(u, 20, (0, 1))[0] - u.size / 20).max() < 5 * np.sqrt(u.size / 20)
    assert np.abs(np.corrcoef(np.c_[u[:-1], u[1:]].T) - np.eye(6)).max() < 5 / np.sqrt(len(u))
    below = np.array([streams.next_below(keys[i : i + 1], 7) for i in range(4000)])
    assert np.abs(np.bincount(below, minlength=7) - 4000 / 7).max() < 5 * np.sqrt(4000 / 7)


@given(words, st.integers(0, 30), st.integers(0, 5))
def test_shuffle_permutes_the_first_items_only(state, n, more):
    items = np.arange(n + more)
    streams.shuffle(np.array([state], np.uint64), items, n)
    assert sorted(items[:n]) == list(range(n))
    assert items[n:].tolist() == list(range(n, n + more))


def test_every_order_of_a_shuffle_is_as_likely():
    counts, state = {}, np.array([5], np.uint64)
    for _ in range(6000):
        items = np.arange(3)
        streams.shuffle(state, items, 3)
        counts[tuple(items.tolist())] = counts.get(tuple(items.tolist()), 0) + 1
    assert len(counts) == 6
    assert max(abs(c - 1000) for c in counts.values()) < 5 * np.sqrt(1000)


@given(st.lists(words, min_size=1, max_size=4), st.integers(1, 5))
def test_uniforms_of_many_streams_are_each_streams_first(keys, n):
    given_keys = np.array(keys, np.uint64)
    found = streams.uniforms(given_keys, n)
    assert found.tolist() == [[(mix((k + (i + 1) * GAMMA) & MASK) >> 11) / 2**53 for i in range(n)] for k in keys]
    assert given_keys.tolist() == keys
