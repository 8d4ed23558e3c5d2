"""Data and kernel files that `sample` writes."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run


class Sample(DirectoryTest):
    def sample(self, *options, expect=0):
        return run("gihflow", "sample", *options, expect=expect, cwd=self.directory)

    def test_file(self):
        found = json.loads(self.sample("-o", "d.h5", "--kernels-output", "k.h5", "--chains", "7", "--length", "50",
                                       "--vocabulary", "4", "--parents", "1,3", "--seed", "5", "--json").stdout)
        with h5py.File(self.directory / "d.h5") as file, h5py.File(self.directory / "k.h5") as kernels:
            tokens, targets, pi = file["tokens"][()], file["targets"][()], kernels["kernels"][()]
            self.assertEqual(tokens.shape, (7, 51))
            self.assertEqual(file.attrs["vocabulary_size"], 4)
            self.assertEqual(list(file.attrs["parents"]), [1, 3])
            self.assertEqual(file.attrs["seed"], 5)
            self.assertEqual(file.attrs["tokens_hash"], found["tokens_hash"])
            self.assertIn("parents = [1, 3]\n", file.attrs["config"])
            self.assertEqual(list(kernels.attrs["parents"]), [1, 3])
        self.assertEqual(pi.shape, (7, 16, 4))
        # The label's law is the kernel's row at the label's parents, and no impossible token was drawn.
        context = 4 * tokens[:, -2].astype(int) + tokens[:, -4]
        np.testing.assert_array_equal(targets, pi[np.arange(7), context])

    def test_same_seed_same_data(self):
        self.sample("-o", "a.h5", "--chains", "20", "--threads", "1")
        self.sample("-o", "b.h5", "--chains", "20", "--threads", "3")
        self.assertEqual((self.directory / "a.h5").read_bytes(), (self.directory / "b.h5").read_bytes())
        self.sample("-o", "c.h5", "--chains", "20", "--seed", "2")
        with h5py.File(self.directory / "a.h5") as a, h5py.File(self.directory / "c.h5") as c:
            self.assertNotEqual(a.attrs["tokens_hash"], c.attrs["tokens_hash"])

    def test_chains_of_a_run(self):
        """--purpose exports exactly the chains that train drew; without it a note says that they are others."""
        def drawn(*options):
            done = self.sample("--config", "run.h5", *options, "--json", "--force")
            return json.loads(done.stdout), done.stderr

        for extra in ([], ["--labels", "sampled"], ["--initial-law", "uniform", "--labels", "posterior"]):
            with self.subTest(extra):
                run("gihflow", "train", "--chains", "30", "--validation-chains", "12", "--length", "40", "--stages", "c:1",
                    "--seed", "4", "--quiet", "--force", *extra, cwd=self.directory)
                with h5py.File(self.directory / "run.h5") as file:
                    hashes = {"train": file.attrs["tokens_hash"], "validation": file.attrs["validation_tokens_hash"]}
                for purpose, count in (("train", 30), ("validation", 12)):
                    found, said = drawn("--purpose", purpose, "-o", f"{purpose}.h5")
                    self.assertEqual((found["tokens_hash"], found["chains"]), (hashes[purpose], count))
                    self.assertEqual(said, "")
                    again, said = json.loads(self.sample("--config", f"{purpose}.h5", "-o", "again.h5", "--json", "--force").stdout), ""
                    self.assertEqual(again["tokens_hash"], hashes[purpose])
                run("gihflow", "train", "--data", "train.h5", "--validation-data", "validation.h5", "--stages", "c:1",
                    "--quiet", "-o", "given.h5", "--force", cwd=self.directory)
                with h5py.File(self.directory / "given.h5") as file:
                    self.assertEqual(file.attrs["tokens_hash"], hashes["train"])
                    self.assertEqual(file.attrs["validation_tokens_hash"], hashes["validation"])
                found, said = drawn()
                self.assertNotIn(found["tokens_hash"], hashes.values())
                self.assertIn("note: these are not the chains of run.h5: give --purpose train or validation", said)
        done = self.sample("--config", "given.h5", "--purpose", "train", expect=2)
        self.assertIn("--purpose train: these chains were not drawn: they are --data train.h5 of given.h5", done.stderr)
        self.assertIn("--validation-chains 0: must be at least 1 with --purpose validation",
                      self.sample("--purpose", "validation", "--validation-chains", "0", expect=2).stderr)

    def test_kernels_given_are_the_kernels_used(self):
        pi = np.array([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.5, 0.5]]])
        with h5py.File(self.directory / "k.h5", "w") as file:
            file["kernels"] = pi
            file.attrs["parents"] = [1]
        self.sample("--kernels", "k.h5", "--initial-law", "uniform", "--length", "9")
        with h5py.File(self.directory / "data.h5") as file:
            tokens = file["tokens"][()].astype(int)
        self.assertEqual(len(tokens), 2)
        np.testing.assert_array_equal(tokens[0, 1:], 1 - tokens[0, :-1])

    def test_sampled_labels_need_no_targets(self):
        self.sample("--labels", "sampled", "--chains", "3")
        with h5py.File(self.directory / "data.h5") as file:
            self.assertNotIn("targets", file)
        run("gihflow", "train", "--data", "data.h5", "--labels", "sampled", "--stages", "c:1", cwd=self.directory)

    def test_existing_files_are_kept(self):
        (self.directory / "data.h5").write_text("precious")
        done = self.sample(expect=2)
        self.assertEqual(done.stderr, "error: --output data.h5: exists already; give --force to overwrite it, or "
                                      "another path\n")
        self.assertEqual((self.directory / "data.h5").read_text(), "precious")
        self.sample("--force", "--chains", "2")
        self.sample("-o", "k.h5", "--kernels-output", "data.h5", expect=2)
        self.assertFalse((self.directory / "k.h5").exists())

    def test_dry_run_writes_nothing(self):
        text = self.sample("--dry-run").stdout
        self.assertIn("9000 of length 100", text)
        self.assertEqual(list(self.directory.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
