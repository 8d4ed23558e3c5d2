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
        self.assertIn("3 texts beside 1", self.diff("a.h5", "c.h5", expect=1).stdout)

    def test_other_files(self):
        for name, seed in (("a.h5", "1"), ("b.h5", "1"), ("c.h5", "2")):
            run("gihflow", "sample", "-o", name, "--seed", seed, "--chains", "9", cwd=self.directory)
        self.diff("a.h5", "b.h5", expect=0)
        self.assertIn("/tokens", self.diff("a.h5", "c.h5", expect=1).stdout)

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
