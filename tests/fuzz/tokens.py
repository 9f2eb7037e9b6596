"""Pieces that parsers trip over, put into good examples: by the property tests, and as the fuzzer's dictionary."""

DEEP = 700
"""Levels of nesting: read by some decoders and walked through by nobody."""

SHORT: tuple[bytes, ...] = (
    *(b"null", b"true", b"-1", b"0", b"1e400", b"-0", b"NaN", b"Infinity", b"1E-40", b"18446744073709551616"),
    *(b"[]", b"{}", b'""', b'"a":1,"a":2', b'"\\ud800"', b'"\\u0000"', b"\xff", b"\x00", b"\xef\xbb\xbf", b"\r", b"\n"),
    *(
        b"0001-01-01T00:00:00+14:00",
        b"9999-12-31T23:59:59-14:00",
        b"2026-01-31T12:00:00",
        b"99999999999",
        b"-62135596801",
    ),
    *(
        b"\xd9\xa3",
        b"\xe2\x80\xae",
        b"\xc2\xb2",
        b"'",
        b'"',
        b"\\",
        b",",
        b"%00",
        b"%FF",
        b"../",
        b"1979-05-27",
        b"0x",
        b"inf",
    ),
    *(b"= [1]", b"= {}", b"=", b"s ago", b"#", b"gf_", b"W/", b"*"),
)
LONG: tuple[bytes, ...] = (
    *(b"9" * 25, b"9" * 5000, b"0x" + b"f" * 5000, b"a" * 2000),
    *(b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b"[" * 200_000),
)
