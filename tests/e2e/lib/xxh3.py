"""XXH3 with 64 bits, of 4 to 128 bytes, and different inputs that share a hash."""

MASK = (1 << 64) - 1
PRIME = 0x9E3779B185EBCA87
RRMXMX = 0x9FB21C651E98DF25
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")


def word(data, at, size=8):
    """A number of the bytes."""
    return int.from_bytes(data[at:at + size], "little")


def fold(a, b):
    """Both halves of the product."""
    product = (a & MASK) * (b & MASK)
    return (product ^ product >> 64) & MASK


def avalanche(h):
    """The last step of lengths above 8."""
    h = (h ^ h >> 37) * 0x165667919E3779F9 & MASK
    return h ^ h >> 32


def mix(data, at, secret, seed):
    """16 bytes."""
    return fold(word(data, at) ^ word(SECRET, secret) + seed & MASK,
                word(data, at + 8) ^ word(SECRET, secret + 8) - seed & MASK)


def rotate(h, n):
    """To the left."""
    return (h << n | h >> 64 - n) & MASK


def flip_4to8(seed):
    """What inputs of 4 to 8 bytes are combined with."""
    swapped = int.from_bytes((seed & 0xFFFFFFFF).to_bytes(4, "little"), "big")
    return (word(SECRET, 8) ^ word(SECRET, 16)) - (seed ^ swapped << 32) & MASK


def short(data, seed):
    """Up to 16 bytes."""
    n = len(data)
    if n > 8:
        low = word(data, 0) ^ (word(SECRET, 24) ^ word(SECRET, 32)) + seed & MASK
        high = word(data, n - 8) ^ (word(SECRET, 40) ^ word(SECRET, 48)) - seed & MASK
        swapped = int.from_bytes(low.to_bytes(8, "little"), "big")
        return avalanche(n + swapped + high + fold(low, high) & MASK)
    assert n >= 4, "shorter ones are not needed"
    h = word(data, n - 4, 4) + (word(data, 0, 4) << 32) ^ flip_4to8(seed)
    h = (h ^ rotate(h, 49) ^ rotate(h, 24)) * RRMXMX & MASK
    h = (h ^ (h >> 35) + n) * RRMXMX & MASK
    return h ^ h >> 28


def xxh3(data, seed=0):
    """The hash."""
    n = len(data)
    if n <= 16:
        return short(data, seed)
    assert n <= 128
    h = n * PRIME + mix(data, 0, 0, seed) + mix(data, n - 16, 16, seed)
    for k in range(1, (n - 1) // 32 + 1):
        h += mix(data, 16 * k, 32 * k, seed) + mix(data, n - 16 * (k + 1), 32 * k + 16, seed)
    return avalanche(h & MASK)


def seed_for(text):
    """
    The seed with which these 8 bytes, when they stand 16 before the end of 17 to 32 bytes, make the last 8
    count for nothing: they are multiplied by zero.
    """
    return word(text, 0) - word(SECRET, 16) & MASK


def unshift(h, n):
    """Inverse of h ^ h >> n."""
    out = h
    for _ in range(64 // n):
        out = h ^ out >> n
    return out


def eight_like(data, seed):
    """The 8 bytes that have the hash of 4 to 7 others."""
    inverse = pow(RRMXMX, -1, 1 << 64)
    h = unshift(xxh3(data, seed), 28) * inverse & MASK
    high = h >> 35  # of what was added to itself: the upper bits are as they were
    h = (h ^ high + 8) * inverse & MASK
    h = solve_rotations(h)
    combined = h ^ flip_4to8(seed)
    return (combined >> 32).to_bytes(4, "little") + (combined & 0xFFFFFFFF).to_bytes(4, "little")


def solve_rotations(value):
    """x of x ^ x <<< 49 ^ x <<< 24 = value: the map's order is a power of two."""
    # As a polynomial in the rotation it is 1 + r^49 + r^24; its 64th power is 1 + r^(64*49) + ... = 1.
    out = value
    for _ in range(63):
        out = out ^ rotate(out, 49) ^ rotate(out, 24)
    return out
