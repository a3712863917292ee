"""Keys of rows in few bytes: a UUID is kept as its 16 bytes, so is a keyed hash; any other text as it is."""

from __future__ import annotations

Key = bytes | str

UUID_LENGTH, HASH_LENGTH = 36, 32


def of_uuid(text: str) -> Key:
    """Return the 16 bytes of a UUID in its usual form; any other text as it is."""
    if len(text) == UUID_LENGTH and text[8] == text[13] == text[18] == text[23] == "-":
        key = of_hash(text.replace("-", ""))
        return key if isinstance(key, bytes) else text
    return text


def uuid_of(key: Key) -> str:
    """Return the text that ``of_uuid`` keeps so."""
    if isinstance(key, str):
        return key
    digits = key.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def of_hash(text: str) -> Key:
    """Return the 16 bytes of a credential's index, 32 small hexadecimal digits; any other text as it is."""
    if len(text) != HASH_LENGTH:
        return text
    try:
        packed = bytes.fromhex(text)
    except ValueError:
        return text
    return packed if packed.hex() == text else text  # not for large letters or spaces between


def order(key: Key) -> bytes:
    """Return what sorts keys so that rows next to each other in a table are written one after the other."""
    return key if isinstance(key, bytes) else key.encode()
