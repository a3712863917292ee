"""A client of central written from docs/sync-protocol.md alone: nothing of tapledger is imported here."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import time
import uuid
from typing import Any

import aiohttp
import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SYMBOLS = "0123456789abcdefghjkmnpqrstvwxyz"


class RefusedByCentral(Exception):
    """Central has said no: ``code`` and ``data`` are its words."""

    def __init__(self, status: int, said: dict[str, Any]) -> None:
        super().__init__(said["code"])
        self.status, self.code, self.data = status, said["code"], said["data"]


class AnotherClient:
    """One node: its key, its chain, and what it was told. ``clock_s`` is how far its clock is off."""

    def __init__(self, session: aiohttp.ClientSession, address: str, clock_s: float = 0) -> None:
        self.session, self.address, self.clock_s = session, address, clock_s
        self.key = Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes_raw()
        number = int.from_bytes(hashlib.sha256(self.public).digest()[:8], "big")
        self.node = "".join(SYMBOLS[number >> 5 * place & 31] for place in range(8))
        self.boot = os.urandom(16).hex()
        self.central = b""
        self.raws: list[bytes] = []
        self.hashes = [bytes(32)]
        self.hlc = self.cursor = 0
        self.members: dict[str, dict[str, Any]] = {}

    async def enrol(self, code: str, name: str) -> None:
        statement = b"\n".join([b"tapledger-enrol-1", hashlib.sha256(code.encode()).digest(), self.public])
        asked = {
            "v": 2,
            "code": code,
            "public_key": self.public,
            "name": name,
            "proof": self.key.sign(statement),
        }
        async with self.session.post(self.address + "/v1/enrol", data=_pack(asked)) as response:
            answer = _unpack(await response.read())
            if response.status != 200:
                raise RefusedByCentral(response.status, answer)
        assert answer["node"] == self.node
        self.central = answer["central_public_key"]

    def record(self, kind: str, member: str, **more: Any) -> None:
        """Seal an event at the end of the chain."""
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_s)
        self.hlc = max(int(now.timestamp() * 1000) << 16, self.hlc + 1)
        body = {"kind": kind, "at": now, "program": "1", "member": member, **more}
        event = {"v": 2, "id": str(uuid.uuid4()), "node": self.node, "epoch": 1, "seq": len(self.raws) + 1}
        raw = msgspec.msgpack.encode({**event, "hlc": self.hlc, "body": body})
        self.raws.append(raw)
        self.hashes.append(hashlib.sha256(self.hashes[-1] + raw).digest())

    def earn(self, member: str, points: int) -> None:
        lines = [(f"member/{member}/points", points), ("program/points", -points)]
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_s)
        lot = {"id": os.urandom(8).hex(), "points": points, "remaining": points, "available_at": at}
        self.record(
            "sale",
            member,
            lines=[{"account": account, "unit": "POINT", "amount": amount} for account, amount in lines],
            effects=[{"type": "credit", "lot": {**lot, "expires_at": None}}],
        )

    async def push(self, first: int) -> int:
        """Send the events from ``first`` on; return up to where central has them."""
        raws, head = self.raws[first - 1 : first + 499], self.hashes[min(first + 499, len(self.raws))]
        place = b"1 %d %d" % (first, len(raws))
        statement = b"\n".join([b"tapledger-batch-1", self.node.encode(), place, head])
        batch = {"v": 2, "node": self.node, "epoch": 1, "first_seq": first, "raws": raws, "head": head}
        batch["signature"] = self.key.sign(statement)
        answer = await self.ask("POST", f"/v1/nodes/{self.node}/events?boot={self.boot}", _pack(batch))
        self.hlc = max(self.hlc, answer["hlc"])
        return int(answer["ack"])

    async def pull(self) -> None:
        """Take every page that there is."""
        more = True
        while more:
            page = await self.ask("GET", f"/v1/feed?v=2&cursor={self.cursor}&limit=2&boot={self.boot}")
            for row in page["rows"]:
                if row.get("kind", "member") == "member":
                    self.members[row["member"]] = row["state"]
            self.cursor, more, self.hlc = page["cursor"], page["more"], max(self.hlc, page["hlc"])

    async def standing(self) -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/v1/nodes/{self.node}/standing?boot={self.boot}")
        return list(answer["heads"])

    async def lease(self, id_: str, member: str, points: int) -> dict[str, Any]:
        asked = {"v": 2, "id": id_, "member": member, "pool": "points", "amount": points}
        return await self.ask("POST", f"/v1/nodes/{self.node}/leases?boot={self.boot}", _pack(asked))

    async def ask(self, method: str, target: str, body: bytes = b"") -> dict[str, Any]:
        """Ask, signed, and believe central's signature alone; ask once more by central's clock."""
        try:
            return await self._ask_once(method, target, body)
        except RefusedByCentral as refused:
            if refused.code != "CLOCK_OFF":
                raise
            self.clock_s = refused.data["server_ms"] / 1000 - time.time()
            return await self._ask_once(method, target, body)

    async def _ask_once(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        nonce, url = os.urandom(16).hex(), self.address + target
        headers = self._headers(method, url, body, nonce)
        async with self.session.request(method, url, data=body or None, headers=headers) as response:
            answer, status = await response.read(), response.status
            signature = response.headers.get("Tapledger-Answer", "")
        said, central = _unpack(answer), Ed25519PublicKey.from_public_bytes(self.central)
        if said.get("code") == "CLOCK_OFF":
            statement = b"\n".join([b"tapledger-time-1", nonce.encode(), b"%d" % said["data"]["server_ms"]])
            central.verify(bytes.fromhex(said["data"]["proof"]), statement)
        elif status == 200 or signature:
            parts = [b"tapledger-answer-1", nonce.encode(), b"%d" % status, hashlib.sha256(answer).digest()]
            central.verify(bytes.fromhex(signature), b"\n".join(parts))
        if status != 200:
            raise RefusedByCentral(status, said)
        return said

    def _headers(self, method: str, url: str, body: bytes, nonce: str) -> dict[str, str]:
        authority = url.partition("://")[2].partition("/")[0]
        covered = {"@method": method, "@authority": authority, "@target-uri": url}
        headers = {}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            headers["Content-Digest"] = covered["content-digest"] = f"sha-256=:{digest}:"
        now_s, names = int(time.time() + self.clock_s), " ".join(f'"{name}"' for name in covered)
        parameters = f'({names});created={now_s};keyid="{self.node}";alg="ed25519";expires={now_s + 60}'
        parameters += f';nonce="{nonce}";tag="tapledger-sync"'
        lines = [f'"{name}": {value}' for name, value in covered.items()]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        signature = base64.b64encode(self.key.sign(base.encode())).decode()
        return {**headers, "Signature-Input": f"sig={parameters}", "Signature": f"sig=:{signature}:"}


def _pack(message: dict[str, Any]) -> bytes:
    return zstandard.compress(msgspec.msgpack.encode(message))


def _unpack(data: bytes) -> dict[str, Any]:
    plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=8 << 20)
    return dict(msgspec.msgpack.decode(plain))
