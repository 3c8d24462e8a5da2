"""Runs PTX kernels on the CPU, so that generated code is checked without a GPU.

The subset is what NVPTX emits for tile kernels. All threads of several blocks
advance together as NumPy arrays; of threads that diverged, those at the lowest program
program counter go on, and barriers hold until all have come. What it checks
beyond the results:

* global accesses lie inside the buffers that were passed, and are aligned;
* shared accesses lie inside the kernel's shared memory;
* no two threads touch the same shared byte, one of them writing, without a
  barrier between; asynchronous copies land only when they are waited for;
* registers of a wgmma are complete before the fence in front of it, and nobody
  touches its sums, or overwrites its fragments, before it was waited for.

Tensor cores are modelled from the PTX manual's fragment tables, independently of
the compiler's layouts: operands are truncated to TF32 and sums towards zero.
"""

import re

import numpy as np

BASE = 1 << 40  # distance of buffers in the address space
SHARED = 1 << 56
LOCAL = 1 << 58


class PtxError(Exception):
    pass


class Kernel:
    """One entry of a PTX module."""

    def __init__(self, text, name=None):
        for match in re.finditer(
                r"\.entry\s+(\w+)\(([^)]*)\)([^{]*)\{(.*?)\n\}", text, re.S):
            if name in (None, match[1]):
                break
        else:
            raise PtxError(f"no entry {name}")
        self.name = match[1]
        self.params = re.findall(r"\.param[^,]*?(\w+)\s*(?:,|$)",
                                 match[2].strip().replace("\n", " "))
        threads = re.search(r"\.reqntid\s+(\d+)", match[3])
        self.threads = int(threads[1])
        self.code, self.labels = [], {}
        self.tables = self._tables(text)
        local = re.search(r"\.local[^;]*?\.b8\s+(\w+)\[(\d+)\]", match[4])
        self.local_name, self.local_bytes = ((local[1], int(local[2])) if local
                                             else (None, 0))
        body = re.sub(r"//.*", "", match[4])
        for statement in re.split(r";|(?<=:)\s*\n", body):
            statement = " ".join(statement.split()).lstrip("{} ")  # scopes of calls
            while (label := re.match(r"([$\w]+):\s*", statement)):
                self.labels[label[1]] = len(self.code)
                statement = statement[label.end():]
            if statement and not statement.startswith((".reg", ".loc", ".param")):
                self.code.append(self._parse(statement))

    @staticmethod
    def _tables(text):
        tables = {}
        for match in re.finditer(
                r"\.(?:const|global)[^;]*?\.b8\s+(\w+)\[(\d+)\]\s*=\s*\{([^}]*)\}",
                text):
            table = tables[match[1]] = np.zeros(int(match[2]), np.uint8)
            values = [int(v) & 255 for v in match[3].split(",")]
            table[:len(values)] = values
        return tables

    @staticmethod
    def _parse(statement):
        guard = None
        if statement.startswith("@"):
            guard, statement = statement.split(None, 1)
            guard = (guard[1:].lstrip("!"), guard[1] == "!")
        op, _, rest = statement.partition(" ")
        if op.startswith("call"):
            return op, re.findall(r"\w+", rest), guard
        operands = [o.strip() for o in
                    re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,{}\[\]]+(?=,|$)", rest)
                    if o.strip()]
        return op, operands, guard


class Machine:
    """Blocks of one kernel, run together."""

    def __init__(self, kernel, buffers, blocks, shared_bytes):
        self.kernel, self.buffers = kernel, buffers
        self.num_blocks, self.block_threads = len(blocks), kernel.threads
        self.size = self.num_blocks * kernel.threads
        self.tid = np.tile(np.arange(kernel.threads, dtype=np.uint32),
                           self.num_blocks)
        self.block = np.repeat(np.arange(self.num_blocks), kernel.threads)
        self.ctaid = np.repeat(np.asarray(blocks, np.uint32), kernel.threads)
        self.registers = {}
        # NaN bits: reading what nobody wrote shows.
        self.shared = np.full((self.num_blocks, shared_bytes), 0xFF, np.uint8)
        self.writer = np.full((self.num_blocks, shared_bytes), -1, np.int32)
        self.reader = np.full((self.num_blocks, shared_bytes), -1, np.int32)
        # wgmma: registers written since the last fence; sums and fragments of the
        # products not yet in a group; the same for each group in flight.
        self.unfenced, self.issued, self.flying = set(), (set(), set()), []
        self.pending, self.groups = [], []
        self.constants = list(kernel.tables.items())
        self.local = np.full((self.size, kernel.local_bytes), 0xFF, np.uint8)
        self.arguments, self.printed = {}, []  # of calls

    # Registers hold raw bits: u8 as predicates are bool.
    def read(self, name, dtype):
        dtype = np.dtype(dtype)
        if name.startswith("%tid.x"):
            return self.tid.astype(dtype)
        if name.startswith("%ctaid.x"):
            return self.ctaid.astype(dtype)
        if name.startswith("%ctaid") or name.startswith("%tid"):
            return np.zeros(self.size, dtype)
        if name.startswith("%"):
            if self.flying and any(name in sums for sums, _ in self.flying):
                raise PtxError(f"{name} is read while a wgmma adds to it")
            value = self.registers[name]
            if value.dtype == bool:
                return value
            if value.dtype.itemsize > dtype.itemsize:
                value = value.astype(f"u{dtype.itemsize}")
            elif value.dtype.itemsize < dtype.itemsize:
                value = value.astype(f"u{dtype.itemsize}")
            return value.view(dtype)
        if name == "tile_shared_memory":
            return np.full(self.size, SHARED, np.uint64).view(dtype)
        if name == self.kernel.local_name:
            return np.full(self.size, LOCAL, np.uint64).view(dtype)
        for i, (table, _) in enumerate(self.constants):
            if name == table:
                return np.full(self.size, (1000 + i) * BASE, np.uint64).view(dtype)
        if re.match(r"0[fF]", name):
            bits = np.array(int(name[2:], 16), np.uint32)
        elif re.match(r"0[dD]", name):
            bits = np.array(int(name[2:], 16), np.uint64)
        else:
            number = int(name, 0)
            bits = np.array(number & ((1 << 64) - 1), np.uint64)
        bits = bits.astype(f"u{dtype.itemsize}")
        return np.full(self.size, bits).view(dtype)

    def write(self, name, value, mask):
        if name == "_":
            return
        self.unfenced.add(name)
        if self.flying and any(name in sums or name in fragments
                               for sums, fragments in self.flying):
            raise PtxError(f"{name} is overwritten while a wgmma uses it")
        if value.dtype != bool:
            value = np.ascontiguousarray(value).view(f"u{value.dtype.itemsize}")
        if not mask.all():
            old = self.registers.get(name)
            if old is None:
                old = np.zeros_like(value)
            value = np.where(mask, value, old)
        self.registers[name] = value

    def predicate(self, name):
        return self.registers[name]

    def run(self, limit=1 << 22):
        code = self.kernel.code
        pc = np.zeros(self.size, np.int64)
        waiting = np.zeros(self.size, bool)
        for _ in range(limit):
            runnable = ~waiting & (pc < len(code))
            if not runnable.any():
                if not waiting.any():
                    return
                # All threads that have not left are at a barrier.
                if len(np.unique(pc[waiting])) > 1:
                    raise PtxError("threads wait at different barriers")
                self.writer[:] = -1
                self.reader[:] = -1
                pc[waiting] += 1
                waiting[:] = False
                continue
            at = self.choose(pc[runnable])
            here = runnable & (pc == at)
            op, operands, guard = code[at]
            mask = here
            if guard:
                mask = here & (self.predicate(guard[0]) ^ guard[1])
            if op.startswith(("bar.", "barrier.")):
                waiting |= mask
                continue
            pc[here] = at + 1
            if op.startswith("bra"):
                pc[mask] = self.kernel.labels[operands[0]]
            elif op in ("ret", "exit"):
                pc[mask] = len(code)
            elif mask.any():
                try:
                    self.step(op, operands, mask)
                except (KeyError, NotImplementedError) as error:
                    raise PtxError(f"{op} {operands}: {error!r}") from error
        raise PtxError("too many steps")

    def choose(self, counters):
        """The lowest program counter; but a warpgroup meets at its instructions, so
        that those who came early wait for the others."""
        counters = np.unique(counters)
        for at in counters:
            if not self.kernel.code[at][0].startswith("wgmma."):
                return int(at)
        return int(counters[0])

    # --- memory ---------------------------------------------------------------
    def address(self, operand):
        inner = operand.strip("[]")
        match = re.match(r"([%\w.$]+)\s*(?:\+?\s*(-?\d+))?$", inner)
        base = self.read(match[1], np.uint64)
        return base + np.uint64(int(match[2] or 0) & ((1 << 64) - 1))

    def global_bytes(self, addresses, count, what):
        """(buffer bytes, index of each thread's first byte) per buffer."""
        number = (addresses // np.uint64(BASE)).astype(np.int64)
        offset = (addresses % np.uint64(BASE)).astype(np.int64)
        for which in np.unique(number):
            chosen = number == which
            if which >= 1000:
                data = self.constants[which - 1000][1]
            elif 1 <= which <= len(self.buffers):
                data = self.buffers[which - 1].reshape(-1).view(np.uint8)
            else:
                raise PtxError(f"{what} at {addresses[chosen][0]:#x}: no buffer")
            at = offset[chosen]
            if (at + count > data.size).any() or (at % count).any():
                bad = at[(at + count > data.size) | (at % count != 0)][0]
                raise PtxError(f"{what} of {count} bytes at byte {bad} of buffer "
                               f"{which - 1} of {data.size} bytes")
            yield chosen, data, at

    def check_shared(self, mask, at, count, writing, copies=False):
        blocks, threads = self.block[mask], self.tid[mask].astype(np.int32)
        if ((at < 0) | (at + count > self.shared.shape[1]) | (at % count != 0)).any():
            raise PtxError("shared access outside or misaligned")
        for i in range(count):
            writer = self.writer[blocks, at + i]
            if ((writer != -1) & (writer != threads)).any():
                raise PtxError("shared memory race: access after another "
                               "thread's write without a barrier")
            if writing:
                reader = self.reader[blocks, at + i]
                if ((reader != -1) & (reader != threads)).any():
                    raise PtxError("shared memory race: write after another "
                                   "thread's read without a barrier")
                self.writer[blocks, at + i] = threads
                if (self.writer[blocks, at + i] != threads).any():
                    raise PtxError("shared memory race: two threads write a byte")
            else:
                reader = self.reader[blocks, at + i]
                # -2: several readers
                self.reader[blocks, at + i] = np.where(
                    (reader == -1) | (reader == threads), threads, -2)

    def local_bytes(self, address, mask, count):
        """Index of the bytes of each masked thread in local memory."""
        at = (address[mask] - np.uint64(LOCAL)).astype(np.int64)
        if ((at < 0) | (at + count > self.local.shape[1]) | (at % count != 0)).any():
            raise PtxError("local access outside or misaligned")
        return np.flatnonzero(mask)[:, None], at[:, None] + np.arange(count)

    def load(self, space, address, mask, count):
        """Bytes of each masked thread: array [threads, count]."""
        result = np.zeros((self.size, count), np.uint8)
        index = np.arange(count)
        if space == "local":
            result[mask] = self.local[self.local_bytes(address, mask, count)]
            return result
        if space == "shared":
            at = (address[mask] - np.uint64(SHARED)).astype(np.int64)
            self.check_shared(mask, at, count, False)
            result[mask] = self.shared[self.block[mask][:, None],
                                       at[:, None] + index]
            return result
        part = np.zeros((int(mask.sum()), count), np.uint8)
        for chosen, data, at in self.global_bytes(address[mask], count, "load"):
            part[chosen] = data[at[:, None] + index]
        result[mask] = part
        return result

    def store(self, space, address, mask, data):
        count = data.shape[1]
        index = np.arange(count)
        if space == "local":
            self.local[self.local_bytes(address, mask, count)] = data[mask]
            return
        if space == "shared":
            at = (address[mask] - np.uint64(SHARED)).astype(np.int64)
            self.check_shared(mask, at, count, True)
            self.shared[self.block[mask][:, None], at[:, None] + index] = data[mask]
            return
        part = data[mask]
        for chosen, target, at in self.global_bytes(address[mask], count, "store"):
            target[at[:, None] + index] = part[chosen]

    # --- instructions -----------------------------------------------------------
    def step(self, op, operands, mask):
        parts = op.split(".")
        name = parts[0]
        if name == "st" and parts[1] == "param":
            self.arguments[operands[0].strip("[]")] = self.read(
                operands[1], number_type(parts[-1]))
        elif name == "call":
            self.call(operands, mask)
        elif name == "ld" and parts[1] == "param":
            # Parameters are pointers to the buffers, in order.
            index = self.kernel.params.index(operands[1].strip("[]").split("+")[0])
            self.write(operands[0],
                       np.full(self.size, (index + 1) * BASE, np.uint64), mask)
        elif name == "cvta":  # addresses are generic already
            self.write(operands[0], self.read(operands[1], np.uint64), mask)
        elif name in ("ld", "st"):
            self.access(name, parts, operands, mask)
        elif op.startswith("cp.async"):
            self.copy(op, parts, operands, mask)
        elif name == "shfl":
            self.shuffle(parts, operands, mask)
        elif name == "vote":
            lanes = (self.predicate(operands[1]) & mask).reshape(-1, 32)
            result = {"any": lanes.any, "all": lanes.all}[parts[2]](1)
            self.write(operands[0], np.repeat(result, 32), mask)
        elif name == "mma":
            self.mma(op, operands, mask)
        elif name == "wgmma":
            self.wgmma(op, parts, operands, mask)
        elif name == "fence":
            pass  # shared memory has one path here
        elif name == "atom" or name == "red":
            self.atomic(parts, operands, mask)
        elif name == "setp":
            self.compare(parts, operands, mask)
        elif name == "cvt":
            self.convert(parts, operands, mask)
        elif name == "mov":
            self.move(parts, operands, mask)
        elif name == "selp":
            dtype = number_type(parts[-1])
            which = self.predicate(operands[3])
            self.write(operands[0],
                       np.where(which, self.read(operands[1], dtype),
                                self.read(operands[2], dtype)), mask)
        else:
            self.arithmetic(name, parts, operands, mask)

    def access(self, name, parts, operands, mask):
        width = {"v2": 2, "v4": 4, "v8": 8}.get(
            next((p for p in parts if re.fullmatch(r"v\d", p)), ""), 1)
        element = int(parts[-1][1:]) // 8
        space = next((s for s in ("shared", "local") if s in parts), "global")
        registers = operands[0 if name == "ld" else 1].strip("{}").split(",")
        registers = [r.strip() for r in registers]
        address = self.address(operands[1 if name == "ld" else 0])
        if name == "ld":
            data = self.load(space, address, mask, width * element)
            signed = parts[-1].startswith("s")
            for i, register in enumerate(registers):
                piece = np.ascontiguousarray(
                    data[:, i * element:(i + 1) * element])
                value = piece.view(f"{'i' if signed else 'u'}{element}")[:, 0]
                if element == 1:
                    value = value.astype(np.int16 if signed else np.uint16)
                self.write(register, value, mask)
            return
        pieces = []
        for register in registers:
            value = self.read(register, f"u{element}")
            pieces.append(np.ascontiguousarray(value).view(np.uint8)
                          .reshape(self.size, element))
        self.store(space, address, mask, np.concatenate(pieces, 1))

    # --- the driver's functions ---------------------------------------------------
    def text(self, address):
        """The zero-terminated text at an address."""
        (_, data, at), = self.global_bytes(address[None], 1, "text")
        return bytes(data[at[0]:]).split(b"\0")[0].decode()

    def call(self, operands, mask):
        if "__assertfail" in operands:
            thread = np.flatnonzero(mask)[0]
            message, file, line = (self.arguments[f"param{i}"][thread] for i in range(3))
            raise PtxError(f"assertion failed at {self.text(file)}:{line}: "
                           f"{self.text(message)}")
        if "vprintf" not in operands:
            raise NotImplementedError(" ".join(operands))
        for thread in np.flatnonzero(mask):
            form = self.text(self.arguments["param0"][thread])
            at = int(self.arguments["param1"][thread] - np.uint64(LOCAL))
            values = []
            for conversion in re.findall(r"%(lld|d|g|%)", form):
                if conversion == "%":
                    continue
                dtype = {"lld": np.int64, "d": np.int32, "g": np.float64}[conversion]
                size = np.dtype(dtype).itemsize
                at += -at % size
                values.append(self.local[thread, at:at + size].view(dtype)[0])
                at += size
            self.printed.append(form.replace("lld", "d") % tuple(values))

    def copy(self, op, parts, operands, mask):
        if "commit_group" in op:
            self.groups.append(self.pending)
            self.pending = []
        elif "wait" in op:
            keep = int(operands[0]) if operands else 0
            done = len(self.groups) - keep
            for group in self.groups[:max(done, 0)]:
                for mask, dest, data in group:
                    self.store("shared", dest, mask, data)
            self.groups = self.groups[max(done, 0):]
        else:
            dest, source = self.address(operands[0]), self.address(operands[1])
            count = int(operands[2])
            size = (self.read(operands[3], np.uint32) if len(operands) > 3
                    else np.full(self.size, count, np.uint32))
            data = np.zeros((self.size, count), np.uint8)
            reads = mask & (size > 0)
            if ((size != 0) & (size != count) & mask).any():
                raise NotImplementedError("partial copies")
            data[reads] = self.load("global", source, reads, count)[reads]
            self.pending.append((mask.copy(), dest, data))

    def shuffle(self, parts, operands, mask):
        value = self.read(operands[1], np.uint32)
        lane = np.arange(self.size) & 31
        b = self.read(operands[2], np.uint32).astype(np.int64)
        source = {"bfly": lane ^ b, "idx": b & 31}[parts[2]]
        where = (np.arange(self.size) & ~31) + source
        if not mask[where[mask]].all():
            raise PtxError("shuffle reads an inactive lane")
        self.write(operands[0], value[where], mask)

    def atomic(self, parts, operands, mask):
        op = parts[-2]
        dtype = np.dtype({"u32": "u4", "s32": "i4", "b32": "u4", "u64": "u8",
                          "s64": "i8", "b64": "u8"}[parts[-1]])
        is_red = parts[0] == "red"
        address = self.address(operands[0 if is_red else 1])
        value = self.read(operands[1 if is_red else 2], dtype)
        function = {"add": np.add, "max": np.maximum, "min": np.minimum,
                    "and": np.bitwise_and, "or": np.bitwise_or,
                    "xor": np.bitwise_xor}[op]
        amounts = value[mask]
        for chosen, data, at in self.global_bytes(address[mask], dtype.itemsize,
                                                  "atomic"):
            function.at(data.view(dtype), at // dtype.itemsize, amounts[chosen])

    def compare(self, parts, operands, mask):
        kind = parts[1]
        # setp.cmp.bool.type d, a, b, p combines with a predicate.
        join = parts[2] if parts[2] in ("and", "or", "xor") else None
        dtype = number_type(parts[-1])
        a, b = self.read(operands[1], dtype), self.read(operands[2], dtype)
        nan = (np.isnan(a) | np.isnan(b) if dtype.kind == "f"
               else np.zeros(self.size, bool))
        with np.errstate(invalid="ignore"):
            result = {
                "eq": lambda: a == b, "ne": lambda: (a != b) & ~nan,
                "lt": lambda: a < b, "le": lambda: a <= b, "gt": lambda: a > b,
                "ge": lambda: a >= b, "equ": lambda: (a == b) | nan,
                "neu": lambda: (a != b) | nan, "ltu": lambda: (a < b) | nan,
                "leu": lambda: (a <= b) | nan, "gtu": lambda: (a > b) | nan,
                "geu": lambda: (a >= b) | nan, "num": lambda: ~nan,
                "nan": lambda: nan, "lo": lambda: a < b, "ls": lambda: a <= b,
                "hi": lambda: a > b, "hs": lambda: a >= b}[kind]()
        if join:
            other = self.predicate(operands[3])
            result = {"and": result & other, "or": result | other,
                      "xor": result ^ other}[join]
        self.write(operands[0], np.asarray(result), mask)

    def convert(self, parts, operands, mask):
        if "tf32" in parts:
            value = self.read(operands[1], np.float32)
            bits = value.view(np.uint32)
            odd = (bits >> np.uint32(13)) & np.uint32(1)
            half = np.uint32(0x1000) if "rna" in parts else np.uint32(0xFFF) + odd
            rounded = (bits + half) & np.uint32(0xFFFFE000)
            finite = (bits & np.uint32(0x7F800000)) != np.uint32(0x7F800000)
            self.write(operands[0],
                       np.where(finite, rounded, bits & np.uint32(0xFFFFE000)), mask)
            return
        to, source = parts[-2], parts[-1]
        if to == "bf16" or source == "bf16":
            if to == "bf16":
                bits = self.read(operands[1], np.float32).view(np.uint32)
                bits = bits + np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1))
                self.write(operands[0], (bits >> 16).astype(np.uint16), mask)
            else:
                bits = self.read(operands[1], np.uint16).astype(np.uint32) << 16
                self.write(operands[0], bits, mask)
            return
        value = self.read(operands[1], number_type(source))
        kind = number_type(to)
        if value.dtype.kind == "f" and kind.kind == "f":
            rounding = {"rmi": np.floor, "rpi": np.ceil, "rzi": np.trunc,
                        "rni": np.rint}
            for part in parts:
                value = rounding.get(part, lambda v: v)(value)
        elif value.dtype.kind == "f":
            rounding = {"rmi": np.floor, "rpi": np.ceil, "rni": np.rint}
            value = rounding.get(parts[1], np.trunc)(value)
            limits = np.iinfo(kind)
            value = np.clip(np.nan_to_num(value, nan=0), limits.min, limits.max)
        with np.errstate(over="ignore", invalid="ignore"):
            value = value.astype(kind)
        if kind.itemsize == 1:  # extended to the register's 16 bits
            value = value.astype(f"{kind.kind}2")
        self.write(operands[0], value, mask)

    def move(self, parts, operands, mask):
        target, source = operands
        bits = {"b16": 2, "b32": 4, "b64": 8, "u32": 4, "u64": 8, "pred": 0,
                "f32": 4, "f64": 8, "u16": 2, "s32": 4, "s64": 8}[parts[-1]]
        if target.startswith("{"):
            names = [n.strip() for n in target.strip("{}").split(",")]
            value = self.read(source, f"u{bits}").view(np.uint8).reshape(
                self.size, len(names), -1)
            for i, register in enumerate(names):
                piece = np.ascontiguousarray(value[:, i])
                self.write(register, piece.view(f"u{piece.shape[1]}")[:, 0], mask)
        elif source.startswith("{"):
            names = [n.strip() for n in source.strip("{}").split(",")]
            each = bits // len(names)
            pieces = [np.ascontiguousarray(self.read(n, f"u{each}")).view(np.uint8)
                      .reshape(self.size, each) for n in names]
            self.write(target, np.concatenate(pieces, 1).view(f"u{bits}")[:, 0],
                       mask)
        elif parts[-1] == "pred":
            value = (self.predicate(source) if source.startswith("%")
                     else np.full(self.size, source not in ("0", "false")))
            self.write(target, value, mask)
        else:
            self.write(target, self.read(source, f"u{bits}"), mask)

    def arithmetic(self, name, parts, operands, mask):
        if parts[-1] == "pred":
            values = [self.predicate(o) if o.startswith("%")
                      else np.full(self.size, o not in ("0", "false"))
                      for o in operands[1:]]
            result = {"and": lambda: values[0] & values[1],
                      "or": lambda: values[0] | values[1],
                      "xor": lambda: values[0] ^ values[1],
                      "not": lambda: ~values[0]}[name]()
            self.write(operands[0], result, mask)
            return
        dtype = number_type(parts[-1])
        if name in ("shl", "shr"):
            a = self.read(operands[1], dtype)
            bits = dtype.itemsize * 8
            amount = self.read(operands[2], np.uint32).astype(np.int64)
            safe = np.minimum(amount, bits - 1).astype(dtype)
            result = a << safe if name == "shl" else a >> safe
            if name == "shl" or dtype.kind == "u":
                result = np.where(amount >= bits, 0, result).astype(dtype)
            self.write(operands[0], result, mask)
            return
        values = [self.read(o, dtype) for o in operands[1:]]
        with np.errstate(all="ignore"):
            result = self.compute(name, parts, dtype, values, operands)
        self.write(operands[0], result, mask)

    def compute(self, name, parts, dtype, values, operands):
        wide = np.dtype(f"{dtype.kind}{dtype.itemsize * 2}") \
            if dtype.kind != "f" and dtype.itemsize < 8 else None
        if dtype.kind == "f":
            extra = np.float64
            nan = "NaN" in parts
            table = {
                "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
                "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
                "neg": lambda a: -a, "abs": np.abs, "sqrt": np.sqrt,
                "rcp": lambda a: (1 / a).astype(dtype),
                "rsqrt": lambda a: (1 / np.sqrt(a.astype(extra))).astype(dtype),
                "ex2": lambda a: np.exp2(a.astype(extra)).astype(dtype),
                "lg2": lambda a: np.log2(a.astype(extra)).astype(dtype),
                "max": np.maximum if nan else np.fmax,
                "min": np.minimum if nan else np.fmin,
                "copysign": lambda a, b: np.copysign(b, a),
                "fma": lambda a, b, c:
                    (a.astype(extra) * b + c.astype(extra)).astype(dtype)}
            return table[name](*values)
        if "wide" in parts:
            values = [self.read(o, dtype).astype(wide) for o in operands[1:3]]
            product = values[0] * values[1]
            if name == "mad":
                product = product + self.read(operands[3], wide)
            return product
        if "hi" in parts:
            # Python's integers: NumPy has none of 128 bits.
            product = values[0].astype(object) * values[1].astype(object)
            return (product >> (dtype.itemsize * 8)).astype(dtype)
        if name == "bfe":
            start, length = values[1].astype(np.uint64), values[2].astype(np.uint64)
            ones = (np.uint64(1) << length) - np.uint64(1)
            field = (values[0].astype(np.uint64) >> start) & ones
            if dtype.kind == "i":  # the field's top bit is its sign
                sign = np.uint64(1) << (length - np.uint64(1))
                field = (field ^ sign) - sign
            return field.astype(dtype)
        table = {
            "add": lambda a, b: a + b, "sub": lambda a, b: a - b,
            "mul": lambda a, b: a * b, "mad": lambda a, b, c: a * b + c,
            "and": lambda a, b: a & b, "or": lambda a, b: a | b,
            "xor": lambda a, b: a ^ b, "not": lambda a: ~a,
            "neg": lambda a: -a, "abs": np.abs, "min": np.minimum,
            "max": np.maximum, "div": divide, "rem": remainder,
            "popc": lambda a: np.bitwise_count(a).astype(dtype)}
        return table[name](*values)

    # --- tensor cores -------------------------------------------------------------
    def mma(self, op, operands, mask):
        active = mask.reshape(-1, 32)
        if (active.any(1) != active.all(1)).any():
            raise PtxError("mma.sync with inactive lanes")
        names = [[n.strip() for n in o.strip("{}").split(",")] for o in operands]
        lane = np.arange(32)
        group, quad = lane // 4, lane % 4
        warps = self.size // 32
        depth = 8 if "m16n8k8" in op else 16
        a = np.zeros((warps, 16, depth))
        b = np.zeros((warps, depth, 8))
        if "tf32" in op:
            def operand(name):
                bits = self.read(name, np.uint32) & np.uint32(0xFFFFE000)
                return bits.view(np.float32).reshape(warps, 32)
            for i, name in enumerate(names[1]):
                a[:, group + 8 * (i % 2), quad + 4 * (i // 2)] = operand(name)
            for i, name in enumerate(names[2]):
                b[:, quad + 4 * i, group] = operand(name)
        else:
            def halves(name):
                bits = self.read(name, np.uint32)
                for i in range(2):
                    half = (bits >> np.uint32(16 * i)).astype(np.uint16)
                    if "bf16" in op:
                        value = (half.astype(np.uint32) << 16).view(np.float32)
                    else:
                        value = half.view(np.float16).astype(np.float32)
                    yield i, value.reshape(warps, 32)
            for i, name in enumerate(names[1]):
                for j, value in halves(name):
                    a[:, group + 8 * (i % 2), 2 * quad + j + 8 * (i // 2)] = value
            for i, name in enumerate(names[2]):
                for j, value in halves(name):
                    b[:, 2 * quad + j + 8 * i, group] = value
        c = np.zeros((warps, 16, 8))
        for i, name in enumerate(names[3]):
            c[:, group + 8 * (i // 2), 2 * quad + i % 2] = (
                self.read(name, np.float32).reshape(warps, 32))
        with np.errstate(all="ignore"):
            total = a @ b + c
            result = total.astype(np.float32)
            # Sums are cut off towards zero.
            over = np.abs(result.astype(np.float64)) > np.abs(total)
            result = np.where(over & np.isfinite(result),
                              np.nextafter(result, np.float32(0)), result)
        for i, name in enumerate(names[0]):
            value = result[:, group + 8 * (i // 2), 2 * quad + i % 2]
            self.write(name, np.ascontiguousarray(value.reshape(-1)), mask)


    def wgmma(self, op, parts, operands, mask):
        if not mask.reshape(-1, 128).all(1)[mask.reshape(-1, 128).any(1)].all():
            raise PtxError("part of a warpgroup at a wgmma instruction")
        if parts[1] == "fence":
            self.unfenced.clear()
            return
        if parts[1] == "commit_group":
            self.flying.append(self.issued)
            self.issued = (set(), set())
            return
        if parts[1] == "wait_group":
            keep = int(operands[0])
            self.flying = self.flying[len(self.flying) - keep:] if keep else []
            return
        columns = int(re.search(r"m64n(\d+)k8\.f32\.tf32\.tf32", op)[1])
        sums, fragments = ([n.strip() for n in operand.strip("{}").split(",")]
                           for operand in operands[:2])
        if bad := self.unfenced & {*sums, *fragments}:
            raise PtxError(f"no fence between a write of {sorted(bad)[0]} and wgmma")
        flying, self.flying = self.flying, []
        groups = self.size // 128
        descriptor = self.read(operands[2], np.uint64).reshape(groups, 128)
        if (descriptor != descriptor[:, :1]).any():
            raise PtxError("descriptors differ within a warpgroup")
        descriptor = descriptor[:, 0].astype(np.int64)
        if (descriptor >> 49).any():
            raise NotImplementedError("swizzled descriptors")
        start, depth, column = (((descriptor >> shift) & 0x3FFF) << 4
                                for shift in (0, 16, 32))
        n, k = np.arange(columns), np.arange(8)[:, None]
        at = (start[:, None, None] + n % 8 * 16 + n // 8 * column[:, None, None] +
              k // 4 * depth[:, None, None] + k % 4 * 4)
        active = mask.reshape(groups, 128)[:, 0]
        block = self.block.reshape(groups, 128)[:, :1, None]
        if ((at < 0) | (at + 4 > self.shared.shape[1]))[active].any():
            raise PtxError("wgmma reads outside shared memory")
        at = np.minimum(at, self.shared.shape[1] - 4)
        bytes_ = at[..., None] + np.arange(4)
        if (self.writer[block[..., None], bytes_] != -1)[active].any():
            raise PtxError("shared memory race: wgmma after a write without a barrier")
        self.reader[np.broadcast_to(block[..., None], bytes_.shape)[active],
                    bytes_[active]] = -2

        def truncate(words):
            return (words & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float64)

        b = truncate(np.ascontiguousarray(self.shared[block[..., None], bytes_])
                     .view(np.uint32)[..., 0])
        thread = np.arange(128)
        warp, group, quad = thread // 32, thread % 32 // 4, thread % 4
        a = np.zeros((groups, 64, 8))
        for i, name in enumerate(fragments):
            a[:, 16 * warp + group + 8 * (i % 2), quad + 4 * (i // 2)] = truncate(
                self.read(name, np.uint32).reshape(groups, 128))
        c = np.zeros((groups, 64, columns))
        adds = self.predicate(operands[3]).reshape(groups, 128)[:, 0]
        for i, name in enumerate(sums):
            if adds.any():
                c[:, 16 * warp + group + 8 * (i // 2 % 2),
                  8 * (i // 4) + 2 * quad + i % 2] = np.where(
                      adds[:, None], self.read(name, np.float32).reshape(groups, 128), 0)
        with np.errstate(all="ignore"):
            total = a @ b + c
            result = total.astype(np.float32)
            over = np.abs(result.astype(np.float64)) > np.abs(total)
            result = np.where(over & np.isfinite(result),
                              np.nextafter(result, np.float32(0)), result)
        for i, name in enumerate(sums):
            value = result[:, 16 * warp + group + 8 * (i // 2 % 2),
                           8 * (i // 4) + 2 * quad + i % 2]
            self.write(name, np.ascontiguousarray(value.reshape(-1)), mask)
            self.unfenced.discard(name)
        self.flying = flying
        self.issued[0].update(sums)
        self.issued[1].update(fragments)


def divide(a, b):
    if a.dtype.kind == "u":
        return a // np.maximum(b, 1)
    quotient = np.abs(a) // np.maximum(np.abs(b), 1)
    return np.where((a < 0) != (b < 0), -quotient, quotient).astype(a.dtype)


def remainder(a, b):
    return a - divide(a, b) * b


def number_type(suffix):
    return np.dtype({"f32": "f4", "f64": "f8", "f16": "f2", "u32": "u4",
                     "s32": "i4", "b32": "u4", "u64": "u8", "s64": "i8",
                     "b64": "u8", "u16": "u2", "s16": "i2", "b16": "u2",
                     "u8": "u1", "s8": "i1"}[suffix])


def launch(text, buffers, grid, shared_bytes, name=None, batch_threads=1 << 14):
    """Runs the whole (one-dimensional) grid; `buffers` are written in place. Returns
    what was printed."""
    kernel = Kernel(text, name)
    printed = []
    batch = max(1, batch_threads // kernel.threads)
    for first in range(0, grid, batch):
        blocks = list(range(first, min(grid, first + batch)))
        machine = Machine(kernel, buffers, blocks, shared_bytes)
        machine.run()
        printed += machine.printed
    return printed
