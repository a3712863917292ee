"""The live feed: the newest frame wins, nothing is sent twice, and what was painted is timed."""

from __future__ import annotations

import json

import aiohttp
import pytest

from tapledger.web.live import MAX_MESSAGE_BYTES, MAX_VIEWERS, LiveFeed, percentile
from tapledger.web.snapshots import FACES
from tests.store.shops import card
from tests.web.faces import Faces


async def test_versions_rise_and_a_newcomer_gets_the_newest(faces: Faces) -> None:
    await faces.rich_member()
    first = await faces.watch("kiosk")
    await first.screen("attract")
    await faces.daemon.kiosk.card(card("a"), 0.0)
    await first.screen("balance")
    await faces.did("/api/kiosk/finish")
    await first.screen("goodbye")
    versions = [version for version, _ in first.frames]
    assert versions == sorted(set(versions))
    late = await faces.watch("kiosk")
    await late.screen("goodbye")
    assert late.frames == first.frames[-1:]


async def test_the_same_snapshot_is_not_sent_again(faces: Faces) -> None:
    watcher = await faces.watch("kiosk")
    await watcher.screen("attract")
    (version, _) = watcher.frames[-1]
    for _ in range(50):
        faces.daemon.kiosk.refresh()
        faces.daemon.till.refresh()
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await watcher.until(lambda shown: shown["language"] == "zh-Hans")
    assert [number for number, _ in watcher.frames] == [version, version + 1]


async def test_a_painted_tap_is_timed_once(faces: Faces) -> None:
    await faces.rich_member()
    watcher = await faces.watch("kiosk")
    seen_at_s = faces.bench.clock.monotonic_s()
    await faces.daemon.kiosk.card(card("a"), seen_at_s)
    await watcher.screen("balance")
    version = watcher.frames[-1][0]
    faces.bench.clock.move(0.030)
    console = await faces.watch("console")
    await watcher.painted(version - 1)  # a frame that no tap asked for
    for _ in range(3):
        await watcher.painted(version)
    shown = await console.until(lambda snapshot: snapshot["latency"]["taps"] > 0)
    assert shown["latency"] == {"taps": 1, "p50_ms": 30.0, "p99_ms": 30.0}
    await faces.did("/api/kiosk/finish")
    await watcher.screen("goodbye")
    assert list(faces.daemon.live.latencies_ms) == [pytest.approx(30.0)]


@pytest.mark.parametrize(
    "text", ["", "{", "null", '{"painted": "1"}', '{"painted": 1, "more": 2}', "\x00", "[[["]
)
async def test_what_a_page_should_not_say_is_not_heard(faces: Faces, text: str) -> None:
    watcher = await faces.watch("kiosk")
    await watcher.screen("attract")
    await watcher._socket.send_str(text)
    await watcher._socket.send_bytes(b"\xff")
    await faces.did("/api/kiosk/language", language="zh-Hans")
    await watcher.until(lambda shown: shown["language"] == "zh-Hans")
    assert not faces.daemon.live.latencies_ms


async def test_a_page_that_talks_too_much_is_cut_off(faces: Faces) -> None:
    watcher = await faces.watch("kiosk")
    await watcher.screen("attract")
    await watcher._socket.send_str("x" * (MAX_MESSAGE_BYTES + 1))
    message = await watcher._socket.receive(timeout=10)
    assert message.type is aiohttp.WSMsgType.CLOSE and message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await (await faces.watch("kiosk")).screen("attract")


async def test_too_many_pages_and_unknown_faces_are_refused(faces: Faces) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await faces.watch("nobody")
    assert caught.value.status == 404
    for _ in range(MAX_VIEWERS):
        await (await faces.watch("kiosk")).screen("attract")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await faces.watch("kiosk")
    assert caught.value.status == 404
    await (await faces.watch("till")).until(lambda shown: True)


async def test_frames_are_what_the_schema_promises(faces: Faces) -> None:
    assert set(faces.daemon.live.faces) == set(FACES) - {"dock"}
    for face in faces.daemon.live.faces:
        watcher = await faces.watch(face)
        await watcher.until(lambda shown: True)
        assert set(json.loads(json.dumps(watcher.frames[0][1]))) == set(FACES[face].__struct_fields__)


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([], 0.5)) == (50.0, 99.0, 0.0)
    assert LiveFeed(lambda: 0.0).faces == []
