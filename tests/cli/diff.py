"""`diff`: equal runs are equal, and where two differ it names the first output, the size and the reason."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

SMALL = ("--chains", "30", "--validation-chains", "5", "--length", "20", "--stages", "c:50,w:20", "--outputs", "8")


class Diff(DirectoryTest):
    def train(self, name, *options):
        run("gihflow", "train", *SMALL, "-o", name, *options, cwd=self.directory)

    def diff(self, a, b, *options, expect):
        return run("gihflow", "diff", a, b, *options, cwd=self.directory, expect=expect)

    def test_runs_that_differ_in_their_execution_alone_are_equal(self):
        self.train("a.h5")
        self.train("b.h5", "--threads", "1", "--checkpoint-every", "0")
        done = self.diff("a.h5", "b.h5", expect=0)
        self.assertRegex(done.stdout, r"^equal bit for bit: \d+ numbers in \d+ datasets\n$")
        self.assertTrue(json.loads(self.diff("a.h5", "b.h5", "--json", expect=0).stdout)["equal"])

    def test_sizes_and_first_output_are_those_of_numpy(self):
        self.train("a.h5")
        self.train("b.h5", "--rtol", "1e-5")
        found = json.loads(self.diff("a.h5", "b.h5", "--json", expect=1).stdout)
        self.assertEqual(found["config"], [{"name": "rtol", "a": "1e-06", "b": "1e-05"}])
        firsts = []
        with h5py.File(self.directory / "a.h5") as a, h5py.File(self.directory / "b.h5") as b:
            for dataset in found["datasets"]:
                x, y = a[dataset["name"]][()], b[dataset["name"]][()]
                if x.dtype.kind not in "fiu":
                    continue
                if x.shape != y.shape:  # the states to restart from: as many as there were steps
                    self.assertIn("/restart/", dataset["name"])
                    self.assertIn("shape", dataset["incomparable"])
                    continue
                self.assertEqual(dataset["entries"], np.size(x))
                self.assertEqual(dataset["different"], np.count_nonzero(x != y), dataset["name"])
                gap = np.abs(np.asarray(x, float) - y)
                self.assertEqual(dataset["absolute"], gap.max())
                scale = np.maximum(np.abs(x), np.abs(y))
                self.assertAlmostEqual(dataset["relative"], np.max(gap[gap > 0] / scale[gap > 0], initial=0), places=14)
                if dataset["first"]:
                    rows = (x != y).reshape(len(x), -1).any(axis=1)
                    index = int(np.argmax(rows))
                    stage = dataset["first"]["stage"]
                    self.assertEqual(dataset["first"]["index"], index)
                    self.assertEqual(dataset["first"]["t"], a[f"stage_{stage}/t"][index])
                    firsts.append((stage, index))
        self.assertEqual((found["first"]["stage"], found["first"]["index"]), min(firsts))
        text = self.diff("a.h5", "b.h5", expect=1).stdout
        self.assertIn(f"first output that differs: stage {min(firsts)[0]}, output {min(firsts)[1]}, t = ", text)
        self.assertRegex(text, r"\nrtol +1e-06 +1e-05\n")

    def test_one_bit_is_found(self):
        self.train("a.h5")
        for name, entry in (("stage_2/w", (3, 1, 2)), ("final/a", ()), ("checkpoint/start/log_c_squared", (2,))):
            with self.subTest(name):
                (self.directory / "b.h5").write_bytes((self.directory / "a.h5").read_bytes())
                with h5py.File(self.directory / "b.h5", "r+") as file:
                    file[name][entry] = np.nextafter(file[name][entry], np.inf)
                found = json.loads(self.diff("a.h5", "b.h5", "--json", expect=1).stdout)
                changed = [d for d in found["datasets"] if d["different"]]
                self.assertEqual([(d["name"], d["different"], d["ulp"]) for d in changed], [("/" + name, 1, 1)])
                if name.startswith("stage"):
                    self.assertEqual((found["first"]["stage"], found["first"]["index"]), (2, 3))

    def test_attributes_count_and_config_does_not(self):
        self.train("a.h5")
        for name, value, expect in (("outcome", "interrupted", 1), ("config", "rtol = 1.0\n", 0), ("git_commit", "x", 0)):
            (self.directory / "b.h5").write_bytes((self.directory / "a.h5").read_bytes())
            with h5py.File(self.directory / "b.h5", "r+") as file:
                file.attrs[name] = value
            self.assertIn(value.partition(" ")[0], self.diff("a.h5", "b.h5", expect=expect).stdout)

    def test_texts_that_differ(self):
        text = h5py.string_dtype()
        for name, words in (("a.h5", ["dopri5", "rosenbrock4", "dopri5"]), ("b.h5", ["dopri5", "fehlberg78", "auto"]),
                            ("c.h5", ["dopri5"])):
            with h5py.File(self.directory / name, "w") as file:
                file.create_dataset("words", data=words, dtype=text)
        self.diff("a.h5", "a.h5", expect=0)
        found = json.loads(self.diff("a.h5", "b.h5", "--json", expect=1).stdout)["datasets"]
        self.assertEqual([(d["name"], d["entries"], d["different"]) for d in found], [("/words", 3, 2)])
        self.assertIn("shape [3] beside [1]", self.diff("a.h5", "c.h5", expect=1).stdout)

    def test_other_files(self):
        for name, seed in (("a.h5", "1"), ("b.h5", "1"), ("c.h5", "2")):
            run("gihflow", "sample", "-o", name, "--seed", seed, "--chains", "9", cwd=self.directory)
        self.diff("a.h5", "b.h5", expect=0)
        self.assertIn("/tokens", self.diff("a.h5", "c.h5", expect=1).stdout)

    def written(self, name, write):
        with h5py.File(self.directory / name, "w") as file:
            write(file)

    def test_all_that_a_file_holds_is_compared(self):
        """What is written into two files, and the line of the answer that names it."""
        pair = np.dtype([("x", "i4"), ("y", "f8")])
        cases = [
            ("int64", lambda f, v: f.create_dataset("x", data=np.array([1, v], "i8")), 2**53, 2**53 + 1, "/x "),
            ("negative", lambda f, v: f.create_dataset("x", data=np.array([1, v], "i8")), -2**62, -2**62 - 1, "/x "),
            ("uint64", lambda f, v: f.create_dataset("x", data=np.array([v, 1], "u8")), 2**64 - 1, 2**64 - 2, "/x "),
            ("boolean", lambda f, v: f.create_dataset("x", data=[True, v]), True, False, "/x "),
            ("one boolean", lambda f, v: f.create_dataset("x", data=v), True, False, "/x "),
            ("bytes", lambda f, v: f.create_dataset("x", data=np.array([v], "S5")), b"one", b"two", "/x .*texts of 5 bytes.*, hash .* beside texts of 5 bytes"),
            ("text", lambda f, v: f.create_dataset("x", data=v), "one", "two", "/x "),
            ("texts", lambda f, v: f.create_dataset("x", data=[["a", v]]), "one", "two", "/x "),
            ("pairs", lambda f, v: f.create_dataset("x", data=np.array([(1, v)], pair)), 0.5, 0.25, "/x .*compounds.*, hash .* beside compounds"),
            ("complex", lambda f, v: f.create_dataset("x", data=[v]), 1j, 2j, "/x .*compounds.*, hash .* beside compounds"),
            ("opaque", lambda f, v: f.create_dataset("x", data=np.array([v], "V3")), b"abc", b"abd", "/x .*opaque data of 3 bytes.*, hash .* beside opaque data of 3 bytes"),
            ("long double", lambda f, v: f.create_dataset("x", data=np.array([1], "g") + v), 0, np.finfo("g").eps, "/x .*float128.*, hash .* beside float128"),
            ("type", lambda f, v: f.create_dataset("x", data=np.array([1, 2], v)), "i4", "i8", "/x .*int32 beside int64"),
            ("real or not", lambda f, v: f.create_dataset("x", data=np.array([1, 2], v)), "f8", "i8", "/x .*float64 beside int64"),
            ("kind", lambda f, v: f.create_group("x") if v else f.create_dataset("x", data=1), True, False, "/x .*a group beside a dataset"),
            ("group", lambda f, v: f.create_group(v), "one", "two", "/one .*only in a.h5"),
            ("link", lambda f, v: f.__setitem__("x", h5py.SoftLink(v)), "/one", "/two", "/x .*/one +beside /two"),
            ("other file", lambda f, v: f.__setitem__("x", h5py.ExternalLink(v, "/")), "c", "d", "/x .*c / +beside +d /"),
            ("named type", lambda f, v: f.__setitem__("x", np.dtype(v)), "f4", "f8", "/x .*float32 beside float64"),
            ("attribute", lambda f, v: f.attrs.__setitem__("x", v), 2**53, 2**53 + 1, "x  *9007199254740992  *9007199254740993"),
            ("boolean attribute", lambda f, v: f.attrs.__setitem__("x", v), True, False, "x  *1  *0"),
            ("reals", lambda f, v: f.attrs.__setitem__("x", [0.5, v]), 0.25, 0.125, "x  *0.5, 0.25  *0.5, 0.125"),
            ("words", lambda f, v: f.attrs.__setitem__("x", ["a", v]), "b", "c", 'x  *"a", "b"  *"a", "c"'),
            ("unsigned attribute", lambda f, v: f.attrs.__setitem__("x", np.uint64(v)), 2**64 - 1, 2**64 - 2, "x  *18446744073709551615"),
            ("type of attribute", lambda f, v: f.attrs.__setitem__("x", v), np.int32(3), np.float64(3), "x  *3 .int32, a scalar.  *3 .float64"),
            ("shape of attribute", lambda f, v: f.attrs.__setitem__("x", v), 3, [3], "x  *3 .int64, a scalar.  *3 .int64, .1.."),
            ("pair", lambda f, v: f.attrs.__setitem__("x", np.array((1, v), pair)), 0.5, 0.25, "x  *hash "),
            ("attribute of a group", lambda f, v: f.create_group("g").attrs.__setitem__("x", v), 1, 2, "x of /g  *1  *2"),
        ]
        for name, write, a, b, said in cases:
            with self.subTest(name):
                self.written("a.h5", lambda f: write(f, a))
                self.written("b.h5", lambda f: write(f, b))
                self.diff("a.h5", "a.h5", expect=0)
                self.assertRegex(self.diff("a.h5", "b.h5", expect=1).stdout, f"(?m)^{said}")

    def test_what_cannot_be_compared_is_named(self):
        lists = h5py.vlen_dtype(np.dtype("i4"))
        cases = [
            (lambda f: f.create_dataset("x", (2,), lists), "/x .*lists of int32, .*not compared"),
            (lambda f: f.create_dataset("x", data=f.ref, dtype=h5py.ref_dtype), "/x .*references, .*not compared"),
            (lambda f: f.attrs.create("x", f.ref, dtype=h5py.ref_dtype), "x .*not compared.*not compared"),
            (lambda f: f.create_dataset("x", (2**20,), "i8", fillvalue=3), "/x has values that were never written"),
        ]
        for number, (write, said) in enumerate(cases):
            with self.subTest(number):
                self.written("a.h5", write)
                done = self.diff("a.h5", "a.h5", expect=2 if "never" in said else 1)
                self.assertRegex(done.stdout + done.stderr, said)

    def test_links_are_not_followed(self):
        with h5py.File(self.directory / "a.h5", "w") as file:
            file["x"] = [1.0]
            file["group/again"] = file["/"]
            file["out"] = h5py.ExternalLink("b.h5", "/x")
            file["soft"] = h5py.SoftLink("/x")
        found = json.loads(self.diff("a.h5", "a.h5", "--json", expect=0).stdout)
        self.assertEqual([d["name"] for d in found["datasets"]], ["/x"])

    def test_usage(self):
        self.assertEqual(run("gihflow", "diff", "a.h5", expect=2, cwd=self.directory).stderr,
                         "error: diff: must be followed by the paths of two files\n")
        self.assertEqual(self.diff("a.h5", "b.h5", expect=2).stderr, "error: a.h5: no such file\n")


if __name__ == "__main__":
    unittest.main()
