"""Python's hpack, asked by lines of JSON: what it makes of our blocks, and blocks of its own."""

import json
import sys

import hpack

encoder = hpack.Encoder()
decoder = hpack.Decoder(max_header_list_size=1 << 20)

for line in sys.stdin:
    asked = json.loads(line)
    if "allow" in asked:
        decoder.max_allowed_table_size = asked["allow"]
    if "resize" in asked:
        encoder.header_table_size = asked["resize"]
    answer = {}
    if "block" in asked:
        fields = decoder.decode(bytes.fromhex(asked["block"]), raw=True)
        answer["fields"] = [[part.decode("latin-1") for part in field] for field in fields]
    if "fields" in asked:
        fields = [[part.encode("latin-1") for part in field] for field in asked["fields"]]
        answer["block"] = encoder.encode(fields, huffman=asked["huffman"]).hex()
    print(json.dumps(answer), flush=True)
