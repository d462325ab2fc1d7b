#!/usr/bin/env python3
"""Turns the instruction rows of src/guest/arm/*.inc into the decoder and the row list.

A row is    SET(stem, "pattern", FEATURES, FORM)    or    SET(stem, "pattern", FEATURES, FORM, "assignments")

SET       A32, T16, T32; VFP gives two rows from one pattern that starts with cccc: an A32 row, and
          a T32 row with 1110 in its place. NEON does so from the A32 pattern of Advanced SIMD: what is
          1111 001U there is 111U 1111 in T32, and 1111 0100 is 1111 1001. T32 patterns have 32 bits,
          first halfword first.
stem      arm_<stem> is the lift function, found in lift_*.c as "void arm_<stem>(struct arm_lift *l,
          const struct arm_insn *i)" or as ARM_LIFT(<stem>, call); rows with the same semantics share a stem.
pattern   one character per bit, spaces are free: 0 1 fixed; (0) (1) should-be bits, whose other
          value is UNPREDICTABLE (arm_insn.should_be); a letter is a bit of that field, the bits of
          a letter are concatenated from the left:
            c cond   d n m s a t   registers   u Rt2   i imm   S set flags   P U W index, add, write back
            R SPSR/round/exchange   y shift type   z shift amount   o rotate   w width/msb/saturate
            b lsb   k mask   l register list   x h top halves   r sub-operation   q size
            p coprocessor   e opc1   f opc2   D N M VFP register bits   Q quadword
          Of several matching rows the one with most fixed bits wins, then the earlier one.
FEATURES  what the CPU needs, joined by | : V4 V4T (always there), V5 V5T V5E, and the names of enum
          arm_feature without ARM_F_.
FORM      how the fields are finished:
            RAW        as they are
            X2 X4 X8   imm times 2, 4, 8
            IMM_A32    imm is an A32 modified immediate: expanded, imm_carry set
            IMM_T32    imm is a T32 modified immediate (i:imm3:imm8)
            SHIFT      y and z decoded by DecodeImmShift (A8.4.3)
            SHIFT_SH   the same with y the high bit of the type (PKH, SSAT)
            BR_A32     imm24 sign-extended times 4;  BR_BLX  with h as bit 1
            BR_T8 BR_T11   T16 branch offsets, sign-extended times 2
            BR_T20     S:imm6:J1:J2:imm11 written in encoding order S imm6 J1 J2 imm11 (B T3)
            BR_T24     S:imm10:J1:J2:imm11 in encoding order (B T4, BL);  BR_T24X  the same without the last bit (BLX)
            MOVW_T32   i:imm4:imm3:imm8 in encoding order (MOVW, MOVT)
            LIST_PUSH LIST_POP   the ninth bit of the list is lr, pc
            LIST_T16   W is set unless the base is in the list
            LIST_T32   a register list whose bit for sp is not part of the field
            VS VD      d, n, m are single (field:bit) or double (bit:field) VFP registers
            VSD VDS    d single and m double, d double and m single (n as d)
assignments   "n=15 U=1 S=it": fields with a value the pattern does not spell: a number, sp, lr, pc,
          another field's letter, or S=it (set flags outside an IT block). Made before the form.
          c=14 makes the instruction unconditional in IT blocks too.
          The word "first" puts the row before all others that match, whatever their fixed bits.

SELECT(stem stem ...) lists stems that only compute: under a condition their results are selected
instead of skipping the code.
"""
import re
import sys

FIELDS = {
    "c": "cond", "d": "d", "n": "n", "m": "m", "s": "s", "a": "a", "t": "t", "u": "t2", "i": "imm",
    "S": "S", "P": "P", "U": "U", "W": "W", "R": "R", "y": "shift_type", "z": "shift_n", "o": "rotate",
    "w": "width", "b": "lsb", "k": "mask", "l": "list", "x": "x", "h": "h", "r": "op", "q": "size_bits",
    "p": "cp", "e": "opc1", "f": "opc2", "D": "D", "N": "N", "M": "M", "Q": "Q",
}
FORMS = ("RAW X2 X4 X8 IMM_A32 IMM_T32 SHIFT SHIFT_SH BR_A32 BR_BLX BR_T8 BR_T11 BR_T20 BR_T24 BR_T24X "
         "MOVW_T32 LIST_PUSH LIST_POP LIST_T16 LIST_T32 VS VD VSD VDS").split()
FEATURES = {"V4": "0", "V4T": "0", "V5T": "ARM_F_V5", "V5E": "ARM_F_V5"}
# Per decode table: its name, the set, and the bits that index it, high to low.
TABLES = {
    "a32": [27, 26, 25, 24, 23, 22, 21, 20, 7, 6, 5, 4],
    "a32u": [27, 26, 25, 24, 23, 22, 21, 20, 7, 6, 5, 4],
    "t16": [15, 14, 13, 12, 11, 10, 9, 8, 7, 6],
    "t32": [28, 27, 26, 25, 24, 23, 22, 21, 20, 15, 7, 6],
}
ROW = re.compile(r'(A32|T16|T32|VFP|NEON)\(\s*(\w+)\s*,\s*((?:"[^"]*"\s*)+),\s*([\w| ]+?)\s*,\s*(\w+)\s*(?:,\s*"([^"]*)"\s*)?\)')
SELECT = re.compile(r"SELECT\(([^)]*)\)")
LIFTER = re.compile(r"^(?:void arm_(\w+)\(struct arm_lift \*\w+,\s*const struct arm_insn \*\w+\)$|ARM_LIFT\((\w+),)", re.M)


class Row:
    def __init__(self, where, set_, name, pattern, features, form, assigns):
        self.where, self.set, self.name, self.form = where, set_, name, form
        self.pattern = pattern.replace(" ", "")
        self.features = [FEATURES.get(f.strip(), "ARM_F_" + f.strip()) for f in features.split("|")]
        self.features = "|".join(sorted(set(self.features)))
        self.assigns = assigns or ""
        self.mask = self.value = self.should_mask = self.should_value = 0
        self.fields = {}
        if form not in FORMS:
            self.fail(f"unknown form {form}")
        self.parse()

    def fail(self, why):
        sys.exit(f"{self.where}: {self.name}: {why}")

    def parse(self):
        bits = re.findall(r"\([01]\)|.", self.pattern)
        width = 16 if self.set == "T16" else 32
        if len(bits) != width:
            self.fail(f"{len(bits)} bits, not {width}")
        for n, bit in enumerate(bits):
            pos = width - 1 - n
            if bit in "01":
                self.mask |= 1 << pos
                self.value |= int(bit) << pos
            elif bit[0] == "(":
                self.should_mask |= 1 << pos
                self.should_value |= int(bit[1]) << pos
            elif bit in FIELDS:
                self.fields.setdefault(bit, []).append(pos)
            else:
                self.fail(f"unknown letter {bit}")

    def table(self):
        if self.set == "A32":
            return "a32u" if self.mask >> 28 == 15 and self.value >> 28 == 15 else "a32"
        return self.set.lower()

    def shape(self):
        """C statements that fill the fields; rows with equal text share an extractor."""
        out = []
        for letter, positions in self.fields.items():
            out.append(f"i->{FIELDS[letter]} = {gather(positions)};")
        for item in self.assigns.split():
            if item == "first":
                continue
            left, _, right = item.partition("=")
            if left not in FIELDS:
                self.fail(f"cannot assign {left}")
            names = {"sp": "13", "lr": "14", "pc": "15", "it": "ARM_S_NOT_IT"}
            if right in names:
                right = names[right]
            elif right in FIELDS:
                right = "i->" + FIELDS[right]
            elif not right.isdigit():
                self.fail(f"cannot assign {item}")
            out.append(f"i->{FIELDS[left]} = {right};")
        if self.form != "RAW":
            out.append(f"arm_form_{self.form.lower()}(i);")
        return "\n        ".join(out)


def gather(positions):
    """Expression that concatenates bits of raw, highest first, run by run."""
    runs = []
    for p in positions:
        if runs and runs[-1][1] == p + 1:
            runs[-1][1] = p
        else:
            runs.append([p, p])
    terms, low = [], 0
    for hi, lo in reversed(runs):
        n = hi - lo + 1
        term = f"(raw >> {lo} & {(1 << n) - 1:#x})" if lo else f"(raw & {(1 << n) - 1:#x})"
        terms.append(f"{term} << {low}" if low else term)
        low += n
    return " | ".join(reversed(terms))


def neon_t32(pattern):
    """The T32 pattern of an A32 pattern of Advanced SIMD (ARM DDI 0406C A7.4, A7.7)."""
    if pattern.startswith("1111001"):
        return "111" + pattern[7] + "1111" + pattern[8:]
    return "11111001" + pattern[8:]


def read(paths):
    rows, select = [], set()
    for path in paths:
        text = open(path).read()
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
        used = []
        for m in SELECT.finditer(text):
            select.update(m.group(1).split())
            used.append(m.span())
        for m in ROW.finditer(text):
            used.append(m.span())
            where = f"{path}:{text.count(chr(10), 0, m.start()) + 1}"
            set_, name, pattern, features, form, assigns = m.groups()
            pattern = "".join(re.findall(r'"([^"]*)"', pattern))
            if set_ not in ("VFP", "NEON"):
                rows.append(Row(where, set_, name, pattern, features, form, assigns))
                continue
            rows.append(Row(where, "A32", name, pattern, features, form, assigns))
            if set_ == "NEON":
                pattern = neon_t32(pattern.replace(" ", ""))
            elif "c" in rows[-1].fields:
                pattern = re.sub("c", lambda _, it=iter("1110"): next(it), pattern)
            rows.append(Row(where, "T32", name, pattern, features, form, assigns))
        rest, last = "", 0
        for start, end in sorted(used):
            rest += text[last:start]
            last = end
        rest += text[last:]
        if rest.strip():
            sys.exit(f"{path}: not a row: {rest.strip().splitlines()[0]}")
    return rows, select


def index_table(rows, name, bits):
    """For each index the rows it may be, most specific first, as offsets into one list."""
    mine = [n for n, r in enumerate(rows) if r.table() == name]
    mine.sort(key=lambda n: ("first" not in rows[n].assigns.split(), -bin(rows[n].mask).count("1"), n))
    table = []
    for index in range(1 << len(bits)):
        value = sum(1 << b for k, b in enumerate(reversed(bits)) if index >> k & 1)
        mask = sum(1 << b for b in bits)
        table.append(tuple(n for n in mine
                           if (value ^ rows[n].value) & rows[n].mask & mask == 0))
    return table


def emit_tables(rows, out):
    lists, text = {}, []
    total = 0

    def offset(key):
        nonlocal total
        if key not in lists:
            lists[key] = total
            text.append("    " + "".join(f"{n}, " for n in key) + "0xffff,")
            total += len(key) + 1
        return lists[key]

    for name, bits in TABLES.items():
        table = [offset(key) for key in index_table(rows, name, bits)]
        out.append(f"static const uint16_t index_{name}[{len(table)}] = {{")
        for k in range(0, len(table), 16):
            out.append("    " + " ".join(f"{v}," for v in table[k:k + 16]))
        out.append("};")
        terms, low = [], 0
        for b in reversed(bits):
            terms.append((b, low))
            low += 1
        expr = gather(bits)
        out.append(f"static inline uint32_t hash_{name}(uint32_t raw)\n{{\n    return {expr};\n}}")
    out.append("static const uint16_t candidates[] = {")
    out += text
    out.append("};")
    assert total < 0xffff


def emit(rows, select):
    out = ["/* Made by tools/decodegen.py; do not edit. */", "/* clang-format off */"]
    shapes = {}
    for r in rows:
        shapes.setdefault(r.shape(), len(shapes))
    out.append("const struct arm_row arm_rows[] = {")
    for r in rows:
        flags = "|".join(["0"] + ["ARM_ROW_SELECT"] * (r.name in select) + ["ARM_ROW_COND"] * ("c" in r.fields or "c=14" in r.assigns))
        out.append(f'    {{"{r.name}", "{r.pattern}", arm_{r.name}, {r.mask:#x}, {r.value:#x}, '
                   f"{r.should_mask:#x}, {r.should_value:#x}, {r.features}, {shapes[r.shape()]}, "
                   f"ARM_SET_{r.set}, {flags}}},")
    out.append("};")
    out.append(f"const unsigned arm_nrows = {len(rows)};")
    emit_tables(rows, out)
    out.append("static void fill(struct arm_insn *i, uint32_t raw, unsigned shape)\n{\n    switch (shape) {")
    for body, n in shapes.items():
        out.append(f"    case {n}:\n        {body}\n        break;")
    out.append("    }\n}")
    assert len(shapes) < 65536
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) < 4 or not sys.argv[2].endswith(".h"):  # never write over rows
        sys.exit("usage: decodegen.py TABLES.inc LIFTERS.h ROWS.inc... LIFTERS.c...")
    rows, select = read([p for p in sys.argv[3:] if p.endswith(".inc")])
    lifters = set()
    for path in sys.argv[3:]:
        if path.endswith(".c"):
            lifters |= {a or b for a, b in LIFTER.findall(open(path).read())}
    for r in rows:
        if r.name not in lifters:
            r.fail("no lift function")
    with open(sys.argv[1], "w") as f:
        f.write(emit(rows, select))
    with open(sys.argv[2], "w") as f:
        f.write("/* Made by tools/decodegen.py: the lift functions. */\n")
        for stem in sorted(lifters):
            f.write(f"void arm_{stem}(struct arm_lift *, const struct arm_insn *);\n")


if __name__ == "__main__":
    main()
