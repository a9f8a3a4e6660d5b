"""Turns a text file into a C array with a zero byte at its end: embed.py NAME INPUT OUTPUT"""
import sys

name, source, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read() + b"\0"
with open(target, "w", encoding="ascii") as out:
    out.write('#include "page.h"\n\nconst char %s[] = {\n' % name)
    for start in range(0, len(data), 16):
        signed = (byte - 256 if byte > 127 else byte for byte in data[start : start + 16])
        out.write("    " + ", ".join(map(str, signed)) + ",\n")
    out.write("};\n")
