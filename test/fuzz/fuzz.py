"""The mutation fuzzer: any file gets an answer, exit 0 or 1, within 20 seconds.

    python test/fuzz/fuzz.py --build build/release --mutants 2000 [--seed N]

Mutates the texts of examples/ and test/, .npy arrays and Program files, and runs
them through bin/fuse-fuzz, which does what the tools do, each in a child process.
The seed is printed; the same seed, mutants and tree make the same inputs. An
input that crashes or hangs is kept under build/fuzz/, with the line that runs it.
"""

import argparse
import collections
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_BYTES = 64 * 1024
LIMIT_SECONDS = 20

NUMBERS = ["0", "1", "-1", "2", "3", "7", "63", "64", "65", "127", "1024", "65536",
           "2147483647", "2147483648", "4294967296", "9223372036854775807",
           "-9223372036854775808", "18446744073709551616", "1.0e400", "0x7FC00000",
           "-0.0", "1e-45", "?"]
TYPES = ["f32", "f16", "bf16", "f64", "i1", "i8", "i32", "i64", "index", "i0", "i7",
         "f8E4M3FN", "complex<f32>", "vector<4xf32>", "none", "memref<4xf32>",
         "tensor<*xf32>", "tensor<?xf32>", "tensor<0xf32>", "tensor<f32>"]
WORDS = re.compile(r'[%@#!]?[A-Za-z_][\w.$]*|-?\d+(?:\.\d+)?(?:e[-+]?\d+)?|->|::|.',
                   re.DOTALL)


def read_corpus():
    """(texts that should be valid, texts that should not, all words seen)"""
    texts, wrong_texts = [], []
    for folder in ("examples/mlir", "test"):
        for path, folders, files in os.walk(os.path.join(ROOT, folder)):
            folders.sort()
            for name in sorted(files):
                if not name.endswith(".mlir"):
                    continue
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    text = file.read()
                for part in text.split("// -----"):
                    part = "\n".join(line for line in part.splitlines()
                                     if not line.lstrip().startswith("//"))
                    if part.strip() and len(part) < MAX_BYTES:
                        (wrong_texts if "-errors" in name else texts).append(part)
    vocabulary = sorted({word for text in texts + wrong_texts for word in WORDS.findall(text)
                         if not word.isspace()})
    return texts, wrong_texts, vocabulary


class TextMutator:
    """Changes at the level of characters, words, numbers, types and lines."""

    def __init__(self, rng, texts, wrong_texts, vocabulary):
        self.rng, self.vocabulary = rng, vocabulary
        self.texts, self.wrong_texts = texts, wrong_texts
        # Half the edits keep most texts valid, so that they reach the passes.
        self.edits = [self.every_number, self.every_number, self.every_number,
                      self.every_number, self.every_type, self.every_type, self.decimal,
                      self.decimal, self.swap_ops, self.swap_ops, self.number,
                      self.number, self.type, self.word, self.drop_word, self.swap_words, self.drop_line, self.copy_line,
                      self.swap_lines, self.splice, self.byte, self.cut, self.repeat]

    def make(self):
        wrong = self.wrong_texts and self.rng.random() < 0.1
        text = self.rng.choice(self.wrong_texts if wrong else self.texts)
        for _ in range(min(1 + int(self.rng.expovariate(1.3)), 12)):
            text = self.rng.choice(self.edits)(text) or " "
        data = text.encode("utf-8", "replace")
        if self.rng.random() < 0.05:
            data = mutate_bytes(self.rng, data)
        return data[:MAX_BYTES]

    def replace_match(self, pattern, text, choices):
        found = list(re.finditer(pattern, text))
        if not found:
            return text
        match = self.rng.choice(found)
        return text[:match.start()] + self.rng.choice(choices) + text[match.end():]

    def number(self, text):
        numbers = NUMBERS + [str(self.rng.randrange(-4, 300))] * 12
        return self.replace_match(r"-?\d+(\.\d+)?(e[-+]?\d+)?", text, numbers)

    def type(self, text):
        return self.replace_match(r"\b(b?f16|f32|f64|i1|i8|i32|i64|index)\b", text, TYPES)

    def every_number(self, text):
        """One extent, wherever it stands."""
        found = re.findall(r"(?<![\w.])(\d+)(?=x|\b)", text)
        if not found:
            return text
        old = self.rng.choice(found)
        value = int(old) + self.rng.choice([-1, 1, 1, 2, 7, -3, 63, int(old)])
        new = self.rng.choice([str(max(value, 1))] * 8 + NUMBERS)
        return re.sub(r"(?<![\w.])%s(?=x|\b)|(?<=x)%s(?=x)" % (old, old), new, text)

    def every_type(self, text):
        old, new = self.rng.choice(["f32", "f32", "f16", "i1", "i64"]), self.rng.choice(TYPES)
        return re.sub(r"(?<![A-Za-z])%s\b" % old, new, text)

    def decimal(self, text):
        numbers = ["0.0", "-1.5", "1.0e-40", "3.0e38", "1.0e-45", "0x7F800000"]
        return self.replace_match(r"-?\d+\.\d+(e[-+]?\d+)?", text, numbers)

    def swap_ops(self, text):
        """One op becomes another of its dialect."""
        ops = [word for word in self.vocabulary
               if re.fullmatch(r"(fuse|arith|math)\.\w+", word)]
        return self.replace_match(r"\b(fuse|arith|math)\.\w+", text, ops or [""])

    def word(self, text):
        return self.replace_match(WORDS, text, self.vocabulary)

    def drop_word(self, text):
        return self.replace_match(WORDS, text, [""])

    def swap_words(self, text):
        words = WORDS.findall(text)
        a, b = self.rng.randrange(len(words)), self.rng.randrange(len(words))
        words[a], words[b] = words[b], words[a]
        return "".join(words)

    def lines(self, text, change):
        lines = text.split("\n")
        change(lines, self.rng.randrange(len(lines)), self.rng.randrange(len(lines)))
        return "\n".join(lines)

    def drop_line(self, text):
        return self.lines(text, lambda lines, a, b: lines.pop(a))

    def copy_line(self, text):
        return self.lines(text, lambda lines, a, b: lines.insert(b, lines[a]))

    def swap_lines(self, text):
        def swap(lines, a, b):
            lines[a], lines[b] = lines[b], lines[a]
        return self.lines(text, swap)

    def splice(self, text):
        other = self.rng.choice(self.texts)
        at = self.rng.randrange(len(text) + 1)
        start = self.rng.randrange(len(other) + 1)
        piece = other[start:start + self.rng.randrange(200)]
        return text[:at] + piece + text[at + self.rng.randrange(40):]

    def byte(self, text):
        at = self.rng.randrange(len(text) + 1)
        return text[:at] + chr(self.rng.randrange(1, 256)) + text[at + 1:]

    def cut(self, text):
        return text[:self.rng.randrange(len(text) + 1)]

    def repeat(self, text):
        words = WORDS.findall(text)
        a = self.rng.randrange(len(words))
        piece = "".join(words[a:a + self.rng.randrange(1, 5)])
        times = self.rng.choice([2, 3, 10, 1000, MAX_BYTES // max(len(piece), 1)])
        return "".join(words[:a]) + piece * times + "".join(words[a:])


def mutate_bytes(rng, data):
    data = bytearray(data)
    for _ in range(1 + int(rng.expovariate(0.7))):
        kind = rng.randrange(5)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 64)]
        elif kind == 2:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 16)))
        elif kind == 3:
            value = rng.choice([0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 255])
            data[at:at + 8] = struct.pack("<Q", value)
        else:
            del data[at:]
    return bytes(data[:MAX_BYTES])


def npy_seeds():
    def npy(descr, order, shape, payload):
        header = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (
            descr, order, shape)
        header = header.ljust(117) + "\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + payload
    return [npy("<f4", "False", "(3, 5)", bytes(60)), npy("<f2", "True", "(4,)", bytes(8)),
            npy("<i8", "False", "()", bytes(8)), npy("|b1", "False", "(2, 2, 2)", bytes(8))]


def program_seeds(build, folder):
    """Programs of a small graph, when the compiler can make them."""
    source = os.path.join(ROOT, "test", "fuzz", "Inputs", "small.mlir")
    seeds = []
    for target in ("sm_90a", "cpu"):
        path = os.path.join(folder, "seed-%s.program" % target)
        result = subprocess.run(
            [os.path.join(build, "bin", "fuse-compile"), source, "--target=" + target,
             "-o", path], capture_output=True, check=False)
        if result.returncode == 0:
            with open(path, "rb") as file:
                seeds.append(file.read())
        else:
            print("note: no %s Program to mutate" % target)
    return seeds


def make_inputs(rng, count, build, folder):
    """Writes the mutants; returns (mode, path) for each."""
    mutator = TextMutator(rng, *read_corpus())
    arrays, programs = npy_seeds(), program_seeds(build, folder)
    inputs = []
    for index in range(count):
        kind = rng.random()
        if kind < 0.08:
            mode, data = "npy", mutate_bytes(rng, rng.choice(arrays))
        elif kind < 0.18 and programs:
            mode, data = "program", mutate_bytes(rng, rng.choice(programs))
        else:
            mode, data = rng.choice(["opt", "ptx", "cpu"]), mutator.make()
        path = os.path.join(folder, "%06d.%s" % (index, mode))
        with open(path, "wb") as file:
            file.write(data)
        inputs.append((mode, path))
    return inputs


def write_junit(path, inputs, failures, seed):
    """One test case a mode: its mutants all answered, or which did not."""
    suite = ET.Element("testsuite", name="fuzz")
    for mode, count in sorted(collections.Counter(mode for mode, _ in inputs).items()):
        case = ET.SubElement(suite, "testcase", classname="fuzz",
                             name="%s: %d mutants, seed %d" % (mode, count, seed))
        bad = [text for failed_mode, text in failures if failed_mode == mode]
        if bad:
            ET.SubElement(case, "failure").text = "\n".join(bad)
    ET.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--junit")
    arguments = parser.parse_args()
    seed = arguments.seed
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 31)
    print("fuzz seed %d" % seed, flush=True)

    fuzzer = os.path.join(arguments.build, "bin", "fuse-fuzz")
    keep = os.path.join(ROOT, "build", "fuzz")
    start = time.time()
    outcomes = collections.Counter()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(random.Random(seed), arguments.mutants, arguments.build,
                             folder)
        result = subprocess.run(
            [fuzzer, "--jobs=%d" % arguments.jobs, "--timeout=%d" % LIMIT_SECONDS],
            input="".join("%s %s\n" % pair for pair in inputs), text=True,
            stdout=subprocess.PIPE, check=False)
        answered = 0
        slowest = 0.0
        for line in result.stdout.splitlines():
            index, kind, code, seconds = line.split()
            mode, path = inputs[int(index)]
            answered += 1
            slowest = max(slowest, float(seconds))
            outcomes["%s %s" % (kind, code)] += 1
            if kind == "exit" and code in ("0", "1"):
                continue
            os.makedirs(keep, exist_ok=True)
            kept = os.path.join(keep, "%d-%s" % (seed, os.path.basename(path)))
            os.replace(path, kept)
            failures.append((mode, "%s %s: echo '%s %s' | %s --verbose" % (
                kind, code, mode, os.path.relpath(kept, ROOT),
                os.path.relpath(fuzzer, ROOT))))
    if answered != len(inputs):
        failures.append((inputs[-1][0], "the fuzzer itself stopped after %d inputs"
                         % answered))
    print("%d mutants in %.0f s, slowest %.1f s: %s" % (
        answered, time.time() - start, slowest,
        ", ".join("%s x%d" % item for item in sorted(outcomes.items()))))
    for _, text in failures:
        print("    " + text)
    if arguments.junit:
        write_junit(arguments.junit, inputs, failures, seed)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
