"""Input files that mean harm, or that are simply wrong: exit code 2, sentences that name the file and say what is the
matter, nothing printed, nothing written, no other file opened, in bounded time and memory."""

import os
import random
import resource
import unittest
import zlib
from pathlib import Path

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

LARGE = 2**40
MOST_MEMORY = 1.1 * 2**30  # bytes: what a child may take, and the program


def data(f):
    f.attrs["vocabulary_size"] = 3
    f["tokens"] = np.arange(40).reshape(4, 10) % 3
    f["targets"] = np.full((4, 3), 1 / 3)


def kernels(f):
    f.attrs["parents"] = [1, 2]
    f["kernels"] = np.full((5, 9, 3), 1 / 3)


def parameters(f):
    f.attrs["degree"] = 2
    f["c"] = np.full(7, 0.1)
    f["w"] = np.full((3, 3), 0.1)
    f["a"] = 1.0


GOOD = {"data": data, "kernels": kernels, "parameters": parameters}
COMMANDS = {
    "data": ("train", "--chains", "4", "--stages", "c:1", "--data"),
    "kernels": ("rank", "--kernels"),
    "parameters": ("evaluate", "--chains", "4", "--parameters"),
    "run": ("show",),
}


def replaced(name, value=None, **options):
    """A change of a file: the dataset `name` anew."""
    def change(f):
        del f[name]
        if value is not None or options:
            f.create_dataset(name, data=value, **options)
    return change


def attribute(name, value, dtype=None):
    def change(f):
        f.attrs.pop(name, None)
        if value is not None:
            f.attrs.create(name, value, dtype=dtype)
    return change


def linked(name, link):
    def change(f):
        del f[name]
        f[name] = link
    return change


def to_other_dataset(f):  # a virtual dataset
    del f["tokens"]
    layout = h5py.VirtualLayout((4, 10), "i8")
    layout[:] = h5py.VirtualSource("canary", "tokens", (4, 10))
    f.create_virtual_dataset("tokens", layout)


def in_other_file(f):  # external storage
    del f["tokens"]
    f.create_dataset("tokens", (4, 10), "i8", external=[("canary", 0, 320)])


def in_a_circle(f):
    del f["tokens"]
    f.create_group("tokens")["again"] = f["/"]


def sums_to_one(last):
    rows = np.full((4, 3), 1 / 3)
    rows[3] = last
    return rows


def token(value, dtype="i8"):
    tokens = np.zeros((4, 10), dtype)
    tokens[2, 5] = value
    return tokens


NOT_A_NUMBER = float("nan")
INFINITE = float("inf")
COMPRESSED = dict(compression="gzip")

PLUGIN_NUMBER = 257  # of those for tests and private use
PLUGIN_HEADERS = [*Path("/usr/include").glob("H5PLextern.h"), *Path("/usr/include/hdf5").glob("serial/H5PLextern.h")]
PLUGIN = r"""
#include <H5PLextern.h>
static size_t turn(unsigned flags, size_t n, const unsigned values[], size_t size, size_t *room, void **buffer) {
  for (size_t i = 0; i < size; ++i) ((unsigned char *)*buffer)[i] ^= 0x5a;
  return size;
}
static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 257, 1, 1, "turned", 0, 0, turn};
H5PL_type_t H5PLget_plugin_type(void) { return H5PL_TYPE_FILTER; }
const void *H5PLget_plugin_info(void) { return &filter; }
"""

# (kind of file, what is done to a good one, what the answer says)
CASES = [
    # shapes
    ("data", replaced("tokens", np.zeros(10, int)), "/tokens has shape [10]: must be integers, [N, L+1]"),
    ("data", replaced("tokens", np.zeros((2, 2, 2), int)), "/tokens has shape [2, 2, 2]: must be"),
    ("data", replaced("tokens", 3), "/tokens has shape a scalar: must be"),
    ("data", replaced("tokens", np.zeros((0, 10), int)), "/tokens has shape [0, 10]: must be"),
    ("data", replaced("tokens", np.zeros((4, 0), int)), "/tokens has shape [4, 0]: must be"),
    ("data", replaced("tokens", h5py.Empty("i8")), "/tokens has no values"),
    ("data", replaced("targets", np.full((3, 3), 1 / 3)), "/targets has shape [3, 3]: must be [4, 3]"),
    ("kernels", replaced("kernels", np.full((5, 9), 1 / 9)), "/kernels has shape [5, 9]: must be"),
    ("kernels", replaced("kernels", np.full((5, 3, 3), 1 / 3)), "/kernels has 3 contexts: must be d^n = 3^2"),
    ("kernels", replaced("kernels", np.zeros((0, 9, 3))), "number of chains 0: must be at least 1"),
    ("kernels", replaced("kernels", np.ones((5, 1, 1))), "vocabulary 1: must be between 2 and 65535"),
    ("parameters", replaced("c", np.full(6, 0.1)), "/c has shape [6]: must be [7]"),
    ("parameters", replaced("w", np.full((3, 3, 3), 0.1)), "/w has shape [3, 3, 3]: must be [H, M]"),
    ("parameters", replaced("w", np.full((31, 3), 0.1)), "/w has shape [31, 3]: must be [H, M] with H from 1 to 30"),
    ("parameters", replaced("a", [1.0, 2.0]), "/a has shape [2]: must be a scalar"),
    # types
    ("data", replaced("tokens", np.zeros((4, 10))), "/tokens does not hold integers"),
    ("data", replaced("tokens", np.full((4, 10), b"one")), "/tokens does not hold integers"),
    ("data", replaced("tokens", np.zeros((4, 10), [("x", int)])), "/tokens does not hold integers"),
    ("data", replaced("tokens", np.zeros((4, 10), complex)), "/tokens does not hold integers"),
    ("data", replaced("targets", np.full((4, 3), b"x")), "/targets does not hold numbers"),
    ("data", replaced("tokens", np.zeros((4, 10))), "/tokens does not hold integers but float64; must be"),
    ("data", replaced("tokens", np.zeros((4, 10), bool)),
     "/tokens does not hold integers but an enum of int8 (FALSE = 0, TRUE = 1); must be"),
    ("kernels", attribute("parents", [1.0, 2.0]), "attribute parents is of the wrong type, float64; must be"),
    ("data", replaced("tokens", np.zeros((4, 10), int), compression="lzf"),
     "/tokens is compressed by the filter lzf (32000), which HDF5 "),
    ("data", linked("tokens", h5py.SoftLink("/targets")), "/tokens is a link to another place"),
    ("data", attribute("vocabulary_size", "three"), "attribute vocabulary_size is of the wrong type"),
    ("data", attribute("vocabulary_size", 3.0), "attribute vocabulary_size is of the wrong type"),
    ("data", attribute("parents", "1,2"), "attribute parents is of the wrong type"),
    ("kernels", attribute("parents", [1.0, 2.0]), "attribute parents is of the wrong type"),
    ("parameters", attribute("degree", b"2"), "attribute degree is of the wrong type"),
    ("parameters", replaced("c", np.full(7, b"x")), "/c does not hold numbers"),
    # missing
    ("data", replaced("tokens"), "/tokens is missing; must be"),
    ("data", attribute("vocabulary_size", None), "attribute vocabulary_size is missing; must be"),
    ("kernels", replaced("kernels"), "/kernels is missing; must be"),
    ("kernels", attribute("parents", None), "attribute parents is missing; must be"),
    ("parameters", attribute("degree", None), "attribute degree is missing; must be"),
    ("parameters", replaced("a"), "/a is missing; must be"),
    ("data", in_a_circle, "/tokens is not a dataset"),
    # values
    ("data", replaced("tokens", token(3)), "/tokens[2, 5] 3: must be a token from 0 to 2"),
    ("data", replaced("tokens", token(-1)), "/tokens[2, 5] -1: must be a token from 0 to 2"),
    ("data", replaced("tokens", token(2**64 - 1, "u8")), "/tokens[2, 5] 9223372036854775807 or more: must be a token"),
    ("data", replaced("targets", sums_to_one([NOT_A_NUMBER, 0, 1])), "/targets[3, 0] nan: must be a finite"),
    ("data", replaced("targets", sums_to_one([INFINITE, 0, 1])), "/targets[3, 0] inf: must be a finite"),
    ("data", replaced("targets", sums_to_one([-0.5, 0.5, 1])), "/targets[3, 0] -0.5: must be a finite"),
    ("data", replaced("targets", sums_to_one([0.5, 0.5, 0.5])), "/targets, row 3, sums to 1.5: must be 1"),
    ("data", replaced("targets", sums_to_one([0.5, 0.5, 0.1]).astype("f2")), "/targets, row 3, sums to 1.0999755859375: must be 1"),
    ("data", attribute("tokens_hash", "0123456789abcdef"),
     "attribute tokens_hash 0123456789abcdef: must be that of /tokens and /targets"),
    ("data", attribute("tokens_hash", 17), "attribute tokens_hash is of the wrong type"),
    ("data", attribute("vocabulary_size", 1), "attribute vocabulary_size 1: must be an integer from 2 to 65535"),
    ("data", attribute("vocabulary_size", 70000), "attribute vocabulary_size 70000: must be"),
    ("data", attribute("vocabulary_size", [3, 3]), "attribute vocabulary_size holds 2 numbers"),
    ("data", attribute("parents", [2, 1]), "attribute parents 2,1: must be"),
    ("data", attribute("parents", [1, 99]), "attribute parents: lag 99 must not exceed the length L = 9"),
    ("data", attribute("parents", [-2**63]), "attribute parents -9223372036854775808: must be"),
    ("data", attribute("parents", np.arange(1, 8000)), "lag 7999 must not exceed the length"),
    ("kernels", replaced("kernels", np.full((5, 9, 3), NOT_A_NUMBER)), "chain 0, context 0"),
    ("kernels", replaced("kernels", np.full((5, 9, 3), INFINITE)), "chain 0, context 0"),
    ("kernels", replaced("kernels", np.full((5, 9, 3), 0.4)), "the row sums to 1.2"),
    ("kernels", attribute("parents", [0, 1]), "parents"),
    ("kernels", attribute("parents", np.arange(1, 7000)), "contexts 3^6999: must not exceed 2^62"),
    ("parameters", replaced("c", np.full(7, NOT_A_NUMBER)), "c holds a value that is not finite"),
    ("parameters", replaced("c", np.zeros(7)), "all c are zero"),
    ("parameters", replaced("w", np.full((3, 3), INFINITE)), "w holds a value that is not finite"),
    ("parameters", replaced("a", -INFINITE), "a is not finite"),
    ("parameters", attribute("degree", -1), "attribute degree -1: must be from 0 to the number of heads"),
    ("parameters", attribute("degree", 2**62), "attribute degree 4611686018427387904: must be from 0 to"),
    # sizes
    ("data", replaced("tokens", shape=(LARGE, LARGE // 2**20), dtype="i8", chunks=(1, 1024)), "GiB of memory here"),
    ("data", replaced("tokens", shape=(2**62, 1), dtype="i1", chunks=(1, 1)), "GiB of memory here can hold"),
    ("kernels", replaced("kernels", shape=(LARGE, 9, 3), dtype="f8", chunks=(1, 9, 3)), "GiB of memory here can hold"),
    ("parameters", replaced("c", shape=(LARGE,), dtype="f8", chunks=(8,)), "GiB of memory here can hold"),
    ("data", replaced("tokens", shape=(2**24, 10), dtype="i8"), "/tokens has values that were never written"),
    ("data", replaced("tokens", shape=(10, 2**24), dtype="i8", chunks=(10, 2**24), **COMPRESSED),
     "/tokens is compressed in chunks of which a row takes 1.28e+03 MiB: must be at most 256"),
    ("data", attribute("parents", np.zeros(7000, int)), "attribute parents 0,0"),
    # elsewhere
    ("data", linked("tokens", h5py.ExternalLink("canary", "/tokens")), "/tokens is a link to another place"),
    ("data", linked("tokens", h5py.SoftLink("/tokens")), "/tokens is a link to another place"),
    ("data", linked("tokens", h5py.SoftLink("/nowhere")), "/tokens is a link to another place"),
    ("data", in_other_file, "/tokens keeps its values in another file, which is not read"),
    ("data", to_other_dataset, "/tokens keeps its values in another file, which is not read"),
    ("kernels", linked("kernels", h5py.ExternalLink("canary", "/kernels")), "/kernels is a link to another place"),
    ("parameters", linked("w", h5py.ExternalLink("canary", "/w")), "/w is a link to another place"),
]

TEXT = h5py.string_dtype()
RUN_CASES = [
    (attribute("schema_version", 99), "schema_version 99: must be from 1 to"),
    (attribute("schema_version", None), "is not a run file"),
    (attribute("schema_version", "1"), "attribute schema_version is of the wrong type"),
    (attribute("outcome", "finished?"), "attribute outcome of /"),
    (attribute("config", b"\xff\xfe", TEXT), "attribute config of / must be a text in UTF-8"),
    (attribute("config", b"\x1b[2J", TEXT), "attribute config of / must be a text in UTF-8"),
    (attribute("config", b"\xed\xa0\x80", TEXT), "attribute config of / must be a text in UTF-8"),
    (attribute("config", 7), "attribute config is of the wrong type"),
    (attribute("config", ["a", "b"]), "attribute config of / must be one text"),
    (attribute("seed", [1, 2]), "attribute seed holds 2 numbers"),
    (attribute("degree", 10**9), "attribute degree 1000000000: must be from 0 to the number of heads"),
    (replaced("stage_1/loss", [1.0]), "/stage_1/loss has shape [1]: must be"),
    (replaced("stage_1/t", np.zeros((2, 2))), "/stage_1/t has shape [2, 2]: must be one-dimensional"),
    (replaced("stage_1/w"), "/stage_1/w is missing"),
    (replaced("stage_1"), "/stage_1"),
    (replaced("checkpoint/start/c", np.full(2, 0.1)), "/checkpoint/start/c has shape [2]: must be [7]"),
    (lambda f: f["checkpoint"].attrs.create("stages_begun", 2**60), "/stage_2"),
    (lambda f: f["checkpoint"].attrs.create("stages_begun", -1), "stages_begun"),
    (linked("stage_1", h5py.ExternalLink("canary", "/stage_1")), "/stage_1 is a link to another place"),
    (lambda f: f["execution"].attrs.create("host", np.full(3, "here", TEXT)), "attribute host of /execution"),
]


class Hostile(DirectoryTest):
    def setUp(self):
        super().setUp()
        # Whoever opens this pipe for reading waits for ever.
        os.mkfifo(self.directory / "canary")

    def refused(self, path, kind, timeout=60):
        """The answer to a file, once it is clear that the program left everything as it was."""
        def state():
            return {p.name: (p.lstat().st_size, p.lstat().st_mtime_ns) for p in self.directory.iterdir()}
        before = state()
        done = run("gihflow", *COMMANDS[kind], path.name, expect=2, cwd=self.directory, timeout=timeout)
        self.assertEqual(state(), before)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertGreater(len(lines), 0)
        for line in lines:
            self.assertTrue(line.startswith(f"error: {path.name}: "), line)
            self.assertTrue(line.isprintable(), repr(line))
        return done.stderr

    def make(self, kind):
        path = self.directory / f"{kind}.h5"
        path.unlink(missing_ok=True)
        if kind == "run":
            run("gihflow", "train", "--chains", "5", "--stages", "c:1", "--quiet", "-o", path.name, cwd=self.directory)
        else:
            with h5py.File(path, "w") as f:
                GOOD[kind](f)
        return path

    def test_good_files_are_taken(self):
        for kind in COMMANDS:
            with self.subTest(kind):
                path = self.make(kind)
                run("gihflow", *COMMANDS[kind], path.name, cwd=self.directory)

    def test_each_harm_has_its_sentence(self):
        for number, (kind, change, sentence) in enumerate(CASES):
            with self.subTest(number=number, kind=kind, sentence=sentence):
                path = self.make(kind)
                with h5py.File(path, "r+") as f:
                    change(f)
                self.assertIn(sentence, self.refused(path, kind))

    def test_run_files(self):
        path = self.make("run")
        good = path.read_bytes()
        for number, (change, sentence) in enumerate(RUN_CASES):
            with self.subTest(number=number, sentence=sentence):
                path.write_bytes(good)
                with h5py.File(path, "r+") as f:
                    change(f)
                self.assertIn(sentence, self.refused(path, "run"))

    def test_other_things_than_files(self):
        (self.directory / "directory.h5").mkdir()
        os.mkfifo(self.directory / "pipe.h5")
        (self.directory / "loop.h5").symlink_to("loop.h5")
        (self.directory / "empty.h5").touch()
        (self.directory / "text.h5").write_text("tokens\n")
        sentences = {
            "directory.h5": "is not a regular file", "pipe.h5": "is not a regular file", "loop.h5": "no such file",
            "none.h5": "no such file", "empty.h5": "is not a readable HDF5 file", "text.h5": "is not a readable HDF5",
        }
        for name, sentence in sentences.items():
            for kind in COMMANDS:
                with self.subTest(name=name, kind=kind):
                    self.assertIn(sentence, self.refused(self.directory / name, kind))

    def test_truncated_anywhere(self):
        for kind in COMMANDS:
            path = self.make(kind)
            good = path.read_bytes()
            for cut in sorted({*range(0, 200, 40), *range(0, len(good), max(1, len(good) // 12))}):
                with self.subTest(kind=kind, cut=cut):
                    path.write_bytes(good[:cut])
                    self.refused(path, kind)

    def test_later_versions_of_hdf5(self):
        """A file of a format that this HDF5 does not know yet is told from a damaged one as far as can be."""
        path = self.make("data")
        whole = bytearray(path.read_bytes())
        self.assertEqual(whole[8], 0)  # version of the superblock
        whole[8] = 99
        path.write_bytes(whole)
        self.assertRegex(self.refused(path, "data"),
                         r"is not a readable HDF5 file \(.*version.*; a later version than HDF5 [0-9.]+ wrote it, or it is damaged\)")

    @unittest.skipUnless(PLUGIN_HEADERS, "needs the header H5PLextern.h of HDF5")
    def test_filter_plugins(self):
        """Data of a filter that HDF5 finds as a plug-in are read; without it the answer names the filter."""
        (self.directory / "filter.c").write_text(PLUGIN)
        run("cc", "-shared", "-fPIC", f"-I{PLUGIN_HEADERS[0].parent}", "-o", "libturned.so", "filter.c", cwd=self.directory)
        path = self.make("data")
        with h5py.File(path, "r+") as f:
            tokens = f["tokens"][()]
            del f["tokens"]
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_chunk(tokens.shape)
            properties.set_filter(PLUGIN_NUMBER, h5py.h5z.FLAG_OPTIONAL)
            stored = h5py.h5d.create(f.id, b"tokens", h5py.h5t.STD_I64LE, h5py.h5s.create_simple(tokens.shape), properties)
            stored.write_direct_chunk((0, 0), bytes(byte ^ 0x5a for byte in tokens.astype("<i8").tobytes()))
        self.assertIn("/tokens is compressed by the filter", self.refused(path, "data"))
        accepted = run("gihflow", "diff", path, path, cwd=self.directory,
                       env={**os.environ, "HDF5_PLUGIN_PATH": str(self.directory)})
        self.assertIn("equal bit for bit", accepted.stdout)

    def test_states_of_no_method(self):
        """A checkpoint or a restart point whose numbers are those of neither the flow nor gradient descent."""
        path = self.directory / "run.h5"
        run("gihflow", "train", "--chains", "5", "--stages", "c:9", "--max-steps", "4", "--quiet", "-o", path.name,
            cwd=self.directory, expect=5)
        good = path.read_bytes()
        state = "must be a state of the flow or of gradient descent"
        widths = "its rows must be states of the flow or of gradient descent"
        for change, sentence in (
            *((replaced("checkpoint/counters", np.zeros(size, int)), state) for size in (0, 2, 5, 7)),
            (replaced("checkpoint/memory", np.zeros(0)), state),
            (replaced("checkpoint/counters"), state),
            (lambda f: f["checkpoint"].attrs.create("active", 0), state),
            *((replaced("stage_1/restart/integers", np.zeros((4, 7 + size), int)), widths) for size in (0, 2, 5, 7)),
            (replaced("stage_1/restart/integers", np.zeros((4, 6), int)), "must be those of its sizes"),
        ):
            with self.subTest(sentence=sentence):
                path.write_bytes(good)
                with h5py.File(path, "r+") as f:
                    change(f)
                self.assertIn(sentence, self.refused(path, "run"))

    def test_listing(self):
        """`diff` visits whatever is in a file: circles once, other files never, names for a terminal never."""
        path = self.directory / "run.h5"
        changes = [
            (lambda f: f.create_group("circle").__setitem__("again", f["/"]), None),
            (lambda f: f.__setitem__("elsewhere", h5py.ExternalLink("canary", "/")), None),
            (lambda f: f.create_group(b"\x1b[2J"), "must have names in UTF-8 without control characters"),
            (lambda f: f.create_group(b"\xff\xfe"), "must have names in UTF-8 without control characters"),
        ]
        for number, (change, sentence) in enumerate(changes):
            with self.subTest(number=number):
                self.make("run")
                with h5py.File(path, "r+") as f:
                    change(f)
                done = run("gihflow", "diff", "run.h5", "run.h5", expect=2 if sentence else 0, cwd=self.directory,
                           timeout=60)
                self.assertIn(sentence or "", done.stderr)

    def test_bombs(self):
        """What unfolds to far more than it declares, or declares it, takes no memory that is not there for it."""
        path = self.directory / "data.h5"
        with h5py.File(path, "w") as f:
            f.attrs["vocabulary_size"] = 3
            tokens = f.create_dataset("tokens", (4, 10), "i8", chunks=(4, 10), **COMPRESSED)
            pump = zlib.compressobj(1)
            bomb = b"".join(pump.compress(bytes(2**20)) for _ in range(2**11)) + pump.flush()  # of 2 GiB
            tokens.id.write_direct_chunk((0, 0), bomb)
        self.assertIn("/tokens is damaged: its values cannot be read", self.refused(path, "data"))

        with h5py.File(path, "w") as f:
            f.attrs["vocabulary_size"] = 3
            tokens = f.create_dataset("tokens", (2**22, 10), "i8", chunks=(2**14, 10), **COMPRESSED)
            tokens[-1] = 7  # nobody wrote the other 40 million tokens
        self.assertIn("/tokens has values that were never written", self.refused(path, "data"))
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, MOST_MEMORY)

    def test_damaged_runs_in_other_commands(self):
        """Whatever became of a run, the commands that go on with it end with an answer."""
        path = self.make("run")
        good = path.read_bytes()
        dice = random.Random(5)
        commands = (
            ("check", "run.h5", "--fresh-chains", "2", "--lengths", "10"),
            ("evaluate", "--chains", "3", "--parameters", "run.h5", "--json"),
            ("show", "run.h5", "--json"),
        )
        for number in range(90):
            damaged = bytearray(good)
            for _ in range(dice.randint(1, 4)):
                damaged[dice.randrange(len(good))] = dice.randrange(256)
            path.write_bytes(damaged)
            words = commands[number % 3]
            with self.subTest(number=number, words=words):
                done = run("gihflow", *words, expect=None, cwd=self.directory, timeout=60)
                self.assertIn(done.returncode, (0, 1, 2), done.stderr)
                self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["canary", "run.h5"])
                if done.returncode == 2:
                    self.assertTrue(all(line.startswith("error: ") for line in done.stderr.splitlines()), done.stderr)
                    self.assertEqual(done.stdout, "")
                else:
                    self.assertNotIn("internal", done.stderr)


if __name__ == "__main__":
    unittest.main()
