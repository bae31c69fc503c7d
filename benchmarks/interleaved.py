"""Times several arms of one question against each other, in one process.

Times of a shared machine drift by tens of percent, so the arms take turns
within every round, in an order that rotates, and what is reported are ratios
to one arm's time in the same round: their median, and their quartiles.

Authors
 * The speechbrain_hrf authors 2026
"""

import statistics
import time

import torch

ROUNDS = 9  # at least 7
SECONDS = 0.3  # a turn repeats its call until it has lasted as long


def measure(
    arms,
    rounds=ROUNDS,
    seconds=SECONDS,
    synchronize=lambda: None,
    clock=time.perf_counter,
):
    """Seconds per call of each arm in each round.

    Arguments
    ---------
    arms : dict of str: callable
        Each does its work once per call.
    rounds : int
        Every arm has one turn per round.
    seconds : float
        A turn repeats its call at least as long.
    synchronize : callable
        Waits for work that was only queued, on a GPU.
    clock : callable
        ``time.process_time`` leaves out what others take of the processor.

    Returns
    -------
    dict of str: list of float
    """
    repeats = {}
    for name, call in arms.items():
        for _ in range(2):  # warm up: compilation, caches, allocations
            call()
        repeats[name] = _repeats(call, seconds, synchronize, clock)
    times = {name: [] for name in arms}
    names = list(arms)
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            times[name].append(
                _time(arms[name], repeats[name], synchronize, clock)
            )
    return times


def single_calls(arms, rounds=ROUNDS, calls=20):
    """Seconds of every single call, for percentiles.

    Arguments
    ---------
    arms : dict of str: callable
        Each does its work once per call.
    rounds : int
        Every arm has one turn per round.
    calls : int
        Of an arm's turn; one more, before them, finds the caches as the other
        arms have left them and is not counted.

    Returns
    -------
    dict of str: list of list of float
        By arm, round and call.
    """
    times = {name: [] for name in arms}
    names = list(arms)
    for k in range(rounds):
        turn = k % len(names)
        for name in names[turn:] + names[:turn]:
            found = [_time(arms[name], 1) for _ in range(calls + 1)]
            times[name].append(found[1:])
    return times


def _repeats(call, seconds, synchronize, clock):
    once = _time(call, 1, synchronize, clock)
    return max(1, round(seconds / once))


def _time(call, repeats, synchronize=lambda: None, clock=time.perf_counter):
    synchronize()
    start = clock()
    for _ in range(repeats):
        call()
    synchronize()
    return (clock() - start) / repeats


def against(times, arm, baseline):
    """Median and quartiles of an arm's ratio to another, round by round.

    Arguments
    ---------
    times : dict
        Of ``measure``.
    arm, baseline : str

    Returns
    -------
    dict of str: float
        median, low, high (quartiles) and milliseconds (the arm's median).
    """
    ratios = [a / b for a, b in zip(times[arm], times[baseline], strict=True)]
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return {
        "median": median,
        "low": low,
        "high": high,
        "milliseconds": 1000 * statistics.median(times[arm]),
    }


def peak_memory(call, device="cpu"):
    """Bytes that a call holds at most beyond what was there before it.

    Arguments
    ---------
    call : callable
    device : str

    Returns
    -------
    int
    """
    call()
    if device != "cpu":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profiler:
        call()
    events = [
        event
        for event in profiler.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    now = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak
