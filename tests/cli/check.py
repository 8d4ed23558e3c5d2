"""gihflow check: the default run is the limit at every length; runs that lack a part are refused and the part named."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run


class Check(DirectoryTest):
    def train(self, name, *options):
        path = self.directory / name
        run("gihflow", "train", "--quiet", "--validation-chains", "0", "-o", path, *options)
        return path

    def check(self, path, *options, expect=0):
        return json.loads(run("gihflow", "check", path, "--json", *options, expect=expect).stdout)

    def doctored(self, source, name, change):
        """A run that begins and ends at the final parameters of another one after `change`."""
        with h5py.File(source) as f:
            c, w, a = f["final/c"][:], f["final/w"][:], float(f["final/a"][()])
            degree = 2
        c, w, a = change(c, w, a)
        parameters = self.directory / f"{name}_parameters.h5"
        with h5py.File(parameters, "w") as f:
            f["c"], f["w"], f["a"] = c, w, a
            f.attrs["degree"] = degree
        return self.train(f"{name}.h5", "--parameters", parameters, "--stages", "a:1e-9", "--chains", "100")

    def test_the_default_run_is_the_limit_and_doctored_ones_are_not(self):
        good = self.train("run.h5")
        lengths = [64, 100, 1024, 65536]
        result = self.check(good, "--lengths", ",".join(map(str, lengths)))
        self.assertTrue(result["passed"])
        self.assertEqual(result["information_set"], [1, 2])
        self.assertEqual(result["leading_set"], [1, 2])
        self.assertEqual([point["length"] for point in result["results"]], lengths)
        for point in result["results"]:
            self.assertLess(point["to_information_set"]["total_variation"], 0.02)
            self.assertGreater(point["to_information_set"]["argmax_agreement"], 0.99)
            self.assertEqual(point["missing"], [])

        table = run("gihflow", "check", good, "--alphas", "0.05,1").stdout
        self.assertEqual(table.count("PASS"), 3)
        self.assertIn("information set S* {1,2}, leading set of the run {1,2}", table)

        def other_set(c, w, a):  # all weight on {1,3}
            only = np.zeros_like(c)
            only[5] = 0.01
            return only, w, a

        def uniform(head):
            def change(c, w, a):
                w[head] = 0.0
                return c, w, a
            return change

        cases = {
            "wrong_set": (other_set, ["selector"], [1, 3]),
            "half": (lambda c, w, a: (c, w, a / 2), ["classifier"], [1, 2]),
            "small": (lambda c, w, a: (c, w, 0.1), ["classifier"], [1, 2]),
            "first_head": (uniform(0), ["copier"], None),
            "second_head": (uniform(1), ["copier"], None),
        }
        for name, (change, missing, leading) in cases.items():
            with self.subTest(name):
                result = self.check(self.doctored(good, name, change), "--lengths", "100,1024", expect=1)
                self.assertFalse(result["passed"])
                for point in result["results"]:
                    self.assertEqual(point["missing"], missing)
                    self.assertGreater(point["to_information_set"]["total_variation"], 0.02)
                if leading:
                    self.assertEqual(result["leading_set"], leading)
        wrong = self.check(self.directory / "wrong_set.h5", expect=1)["results"][0]
        self.assertLess(wrong["to_leading_set"]["total_variation"], 0.02)

        first_stage = self.train("first.h5", "--stages", "c:2000")
        done = run("gihflow", "check", first_stage, expect=1)
        self.assertIn("missing classifier (a)", done.stdout)
        self.assertIn("FAIL", done.stdout)

    def test_lengths_and_seed(self):
        path = self.train("run.h5", "--chains", "300", "--stages", "c:2000,a:50")
        first = self.check(path, "--fresh-chains", "50", expect=None)
        self.assertEqual(first, self.check(path, "--fresh-chains", "50", "--threads", "3", expect=None))
        self.assertNotEqual(first, self.check(path, "--fresh-chains", "50", "--seed", "7", expect=None))
        wide = self.check(path, "--tolerance", "1")
        self.assertTrue(wide["passed"])

    def test_kernels_of_the_run_wherever_they_are(self):
        kernels, moved = self.directory / "kernels.h5", self.directory / "moved.h5"
        for extra in ([], ["--context", "infinite"]):
            with self.subTest(extra):
                run("gihflow", "sample", "--chains", "30", "--kernels-output", kernels,
                    "-o", self.directory / "data.h5", "--force")
                path = self.train("run.h5", "--kernels", kernels, "--stages", "c:1", "--force", *extra)
                asked = ("--tolerance", "2", "--fresh-chains", "20")
                found = self.check(path, *asked)
                kernels.rename(moved)
                self.assertIn("no such file", run("gihflow", "check", path, *asked, expect=2).stderr)
                self.assertEqual(found, self.check(path, *asked, "--kernels", moved))
                with h5py.File(moved, "r+") as file:
                    file["kernels"][...] = np.roll(file["kernels"][()], 1, axis=0)
                done = run("gihflow", "check", path, *asked, "--kernels", moved, expect=2)
                self.assertIn("moved.h5: chains drawn from its kernels have the hash", done.stderr)
        path = self.train("drawn.h5", "--chains", "30", "--stages", "c:1")
        self.assertIn("must be left out, since", run("gihflow", "check", path, "--kernels", moved, expect=2).stderr)

    def test_bad_input(self):
        path = self.train("run.h5", "--chains", "50", "--stages", "c:1")
        data = self.directory / "data.h5"
        run("gihflow", "sample", "--chains", "50", "-o", data)
        given = self.train("given.h5", "--data", data, "--stages", "c:1")
        for options, sentence in {
            ("check",): "check: must be followed by the path of a run file",
            ("check", path, "--lengths", "3,5"): "--lengths 3: must exceed the widest lag, 3, with --boundary masked",
            ("check", path, "--lengths", "0"): "--lengths 0: must be lengths of at least 1, as in 64,1024",
            ("check", path, "--alphas", "1,x"): "--alphas 1,x: must be finite numbers above 0, as in 0.1,1",
            ("check", path, "--alphas", "0"): "--alphas 0: must be finite numbers above 0, as in 0.1,1",
            ("check", path, "--tolerance", "0"): "--tolerance 0: must be a finite number above 0",
            ("check", path, "--fresh-chains", "0"): "--fresh-chains 0: must be an integer of at least 1 and below 2^63",
            ("check", path, "--length", "5"): "--length: check has no such option",
            ("check", self.directory / "none.h5"): "no such file",
            ("check", data): "data.h5",
            ("check", given): "was trained on the sequences of",
        }.items():
            with self.subTest(sentence):
                done = run("gihflow", *options, expect=2)
                self.assertIn(sentence, done.stderr)
                self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main()
