"""What a device has done, by the names of UnifiedPOS, and how long things took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tapledger.clock import Clock
from tapledger.devices.state import DeviceState
from tapledger_drivers.traffic import Traffic

BUCKETS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long something took, over the newest times. ``buckets`` count what took at most so many ms."""

    count: int
    p50_ms: float
    p95_ms: float
    longest_ms: float
    buckets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    counters: Mapping[str, int]
    hours_powered: float
    opened: int
    lost: int
    histograms: Mapping[str, Histogram]


def histogram(seconds: Iterable[float]) -> Histogram:
    ms = sorted(value * 1000 for value in seconds)
    if not ms:
        return Histogram(0, 0.0, 0.0, 0.0, ())
    buckets = tuple((limit, sum(value <= limit for value in ms)) for limit in BUCKETS_MS)
    return Histogram(len(ms), _rank(ms, 0.50), _rank(ms, 0.95), round(ms[-1], 1), buckets)


def shares_ms(seconds: Iterable[float], *shares: float) -> tuple[float, ...]:
    """Return within how many ms these shares of the newest times were done; 0 without any."""
    ms = sorted(value * 1000 for value in seconds)
    return tuple(_rank(ms, share) if ms else 0.0 for share in shares)


def _rank(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


def statistics(state: DeviceState, traffic: Traffic, clock: Clock) -> Statistics:
    open_s = state.online_s
    if state.open_since_s is not None:
        open_s += clock.monotonic_s() - state.open_since_s
    return Statistics(
        counters=dict(sorted(traffic.counters.copy().items())),
        hours_powered=round(open_s / SECONDS_AN_HOUR, 3),
        opened=state.opened,
        lost=state.lost,
        histograms={name: histogram(values) for name, values in sorted(traffic.observed().items())},
    )


def prometheus(devices: Mapping[str, Statistics], states: Mapping[str, DeviceState]) -> str:
    """Return the statistics in the text format of Prometheus."""
    up, totals, hours, times = [], [], [], []
    for role, one in devices.items():
        device = f'device="{role}"'
        up.append(f"tapledger_device_up{{{device}}} {int(states[role].is_open)}")
        hours.append(f"tapledger_device_hours_powered{{{device}}} {one.hours_powered}")
        for name, count in {**one.counters, "Opened": one.opened, "Lost": one.lost}.items():
            totals.append(f'tapledger_device_total{{{device},counter="{name}"}} {count}')
        for name, took in one.histograms.items():
            for share, ms in (("0.5", took.p50_ms), ("0.95", took.p95_ms)):
                times.append(f'tapledger_device_ms{{{device},what="{name}",quantile="{share}"}} {ms}')
    families = {
        "tapledger_device_up gauge": up,
        "tapledger_device_total counter": totals,
        "tapledger_device_hours_powered gauge": hours,
        "tapledger_device_ms gauge": times,
    }
    lines = [line for family, values in families.items() for line in (f"# TYPE {family}", *values)]
    return "\n".join(lines) + "\n"
