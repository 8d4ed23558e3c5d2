"""What must not move a bit of a run, one test for each thing that might: every dataset and attribute is compared, /execution
apart. Resumption has its own files, resume.py and kills.py."""

import json
import os
import pty
import subprocess
import threading
import unittest

import h5py
import numpy as np

from gihflow_testing import PROGRAM, DirectoryTest, contents, run

TRAINING = ("--chains", "70", "--length", "24", "--quiet", "--force")
VALIDATION = ("--validation-chains", "20")
OUTPUTS = ("--outputs", "15")
PLAIN = (*TRAINING, *VALIDATION, *OUTPUTS)
# One of each way to train, each long enough to select, to turn stiff or to visit every chain a few times.
WAYS = {
    "flow": ("--stages", "c:2000,w:20000,a:500"),
    "stiff flow": ("--stages", "cwa:60,a:5", "--rtol", "1e-2"),
    "rodas5p": ("--stages", "cw:50,a:5", "--integrator", "rodas5p"),
    "infinite context": ("--stages", "c:200,wa:50", "--context", "infinite"),
    "reference conventions": ("--stages", "c:200,wa:20", "--preset", "reference"),
    "minibatches": ("--stages", "cw:20,a:10", "--method", "gd", "--optimizer", "adam", "--batch", "16"),
    "fresh chains": ("--stages", "w:15,a:10", "--method", "gd", "--batch", "30", "--resample"),
}


class Invariants(DirectoryTest):
    maxDiff = 2000

    def train(self, name, *options, plain=PLAIN, **keywords):
        run("gihflow", "train", *plain, *options, "-o", name, cwd=self.directory, **keywords)
        return contents(self.directory / name)

    def check_same(self, found, expected, without=()):
        names = {name for name in {*found, *expected} if not name.startswith(tuple(without) or ("\0",))}
        self.assertEqual(sorted(name for name in names if found.get(name) != expected.get(name)), [])

    def each_way(self, *variants, ways=WAYS):
        """Every way to train once plainly, then with the further options of each variant."""
        for way in ways:
            whole = self.train("whole.h5", *WAYS[way])
            for variant in variants:
                with self.subTest(way, variant=variant):
                    self.check_same(self.train("other.h5", *WAYS[way], *variant), whole)

    def test_repeat(self):
        self.each_way(())

    def test_threads(self):
        self.each_way(*(("--threads", k) for k in ("1", "2", "3", "7")))

    def test_threads_of_the_environment(self):
        whole = self.train("whole.h5", *WAYS["flow"])
        for variables in ({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "5", "OMP_DYNAMIC": "true"},
                          {"OMP_SCHEDULE": "dynamic,1"}):
            self.check_same(self.train("other.h5", *WAYS["flow"], env={**os.environ, **variables}), whole)

    def test_checkpoint_cadence(self):
        self.each_way(("--checkpoint-every", "0"), ("--checkpoint-every", "0.01"), ("--checkpoint-every", "1000"))

    def test_limits_that_are_not_reached(self):
        self.each_way(("--max-wall", "1000"), ways=("flow", "minibatches"))

    def test_output_times(self):
        """The states kept to restart from tell every step, which recorded times must not move."""
        own = ("stage_", "@config", "checkpoint@hash")
        for way, options in WAYS.items():
            with self.subTest(way):
                plain = (*TRAINING, *VALIDATION)
                few, many = (self.train(f"{k}.h5", *options, "--outputs", str(k), plain=plain) for k in (2, 150))
                early = self.train("early.h5", *options, "--outputs", "40", "--first-output", "0.001", plain=plain)
                for other in (many, early):
                    self.check_same(other, few, without=own)
                    for name in few:
                        if name.endswith("/restart/reals") or name.endswith(("@accepted_steps", "@rhs_evaluations")):
                            self.assertEqual(other[name], few[name], name)
                with h5py.File(self.directory / "2.h5") as a, h5py.File(self.directory / "150.h5") as b:
                    for stage in (name for name in a if name.startswith("stage_")):
                        for name in ("t", "log_c_squared", "w", "a", "loss", "dissipated"):
                            np.testing.assert_array_equal(a[stage][name][[0, -1]], b[stage][name][[0, -1]])

    def test_validation_chains(self):
        own = ("stage_", "@config", "checkpoint@hash", "@validation_tokens_hash", "baselines/validation",
               "accuracy/validation")
        for way, options in WAYS.items():
            with self.subTest(way):
                whole = self.train("whole.h5", *options)
                other = self.train("other.h5", *options, "--validation-chains", "3", plain=(*TRAINING, *OUTPUTS))
                self.check_same(other, whole, without=own)
                for name in whole:
                    if name.startswith("stage_") and not name.endswith("/validation_loss"):
                        self.assertEqual(other[name], whole[name], name)

    def test_number_of_chains(self):
        """A chain depends on the seed and its own number: fewer chains are the first ones of many."""
        for name, chains in (("few.h5", "13"), ("many.h5", "100")):
            run("gihflow", "sample", "--chains", chains, "-o", name, "--kernels-output", f"kernels_{name}",
                cwd=self.directory)
        for kind, dataset in (("", "tokens"), ("", "targets"), ("kernels_", "kernels")):
            with h5py.File(self.directory / f"{kind}few.h5") as few, h5py.File(self.directory / f"{kind}many.h5") as many:
                np.testing.assert_array_equal(few[dataset][()], many[dataset][:13])

    def test_layout_of_given_data(self):
        """The same sequences, whole or in chunks, compressed or not, of any integer type."""
        chains = ("--chains", "70", "--length", "24")
        run("gihflow", "sample", *chains, "-o", "plain.h5", cwd=self.directory)
        run("gihflow", "sample", *chains, "-o", "validation.h5", "--seed", "2", cwd=self.directory)
        with h5py.File(self.directory / "plain.h5") as file:
            tokens, targets = file["tokens"][()], file["targets"][()]
            attributes = dict(file.attrs)
        layouts = {"chunks": dict(chunks=(7, 5)), "row": dict(chunks=(1, 25)), "gzip": dict(chunks=(16, 25), compression=9)}
        for name, layout in layouts.items():
            with h5py.File(self.directory / f"{name}.h5", "w") as file:
                file.create_dataset("tokens", data=tokens.astype("u1" if name == "row" else ">i8"), **layout)
                file["targets"] = targets
                for key in ("vocabulary_size", "parents"):
                    file.attrs[key] = attributes[key]
        found = {}
        for name in ("plain", *layouts):
            run("gihflow", "train", "--data", f"{name}.h5", "--validation-data", "validation.h5", "--stages", "c:500,wa:20",
                "--outputs", "9", "-o", "run.h5", "--force", cwd=self.directory)
            found[name] = contents(self.directory / "run.h5")
            found[name].pop("@config")  # the path
            self.check_same(found[name], found["plain"])

    def test_engines(self):
        """Sums in another order: bits may differ, numbers to 1e-13."""
        points = {"start": (), "sharp": ("--w-own", "6", "--a-init", "8"), "wide": ("--window", "5", "--boundary", "partial")}
        for name, options in points.items():
            with self.subTest(name):
                found = [json.loads(run("gihflow", "evaluate", "--chains", "300", "--length", "60", *options, "--engine", engine,
                                        "--json", cwd=self.directory).stdout) for engine in ("dense", "sparse")]
                self.assertEqual([f["engine"] for f in found], ["dense", "sparse"])
                for key in ("c", "w", "a"):
                    a, b = (np.array(f["gradient"][key]) for f in found)
                    scale = max(np.abs(np.array(value)).max() for value in found[0]["gradient"].values())
                    self.assertLess(np.abs(a - b).max(), 1e-13 * max(1.0, scale))
                self.assertLess(abs(found[0]["loss"] - found[1]["loss"]), 1e-13)
        for engine in ("dense", "sparse"):
            self.train(f"{engine}.h5", *WAYS["flow"], "--engine", engine)
        with h5py.File(self.directory / "dense.h5") as a, h5py.File(self.directory / "sparse.h5") as b:
            np.testing.assert_allclose(a["stage_1/p"][()], b["stage_1/p"][()], atol=1e-9)

    def test_place_and_surroundings(self):
        whole = self.train("whole.h5", *WAYS["flow"])
        (self.directory / "elsewhere").mkdir()
        surroundings = {**os.environ, "LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "HOME": "/nonexistent", "LANG": "C"}
        run("gihflow", "train", *PLAIN, *WAYS["flow"], "-o", "../other.h5", cwd=self.directory / "elsewhere",
            env=surroundings)
        self.check_same(contents(self.directory / "other.h5"), whole)

    def test_progress(self):
        """With a terminal to draw on and without one."""
        whole = self.train("whole.h5", *WAYS["stiff flow"])
        leader, follower = pty.openpty()
        drawn = []

        def read():
            try:
                while part := os.read(leader, 65536):
                    drawn.append(part)
            except OSError:  # the other end was closed
                pass

        reader = threading.Thread(target=read)
        reader.start()
        loud = [word for word in PLAIN if word != "--quiet"]
        process = subprocess.Popen([PROGRAM, "train", *loud, *WAYS["stiff flow"], "--engine", "auto", "-o", "other.h5"],
                                   cwd=self.directory, stdout=subprocess.DEVNULL, stderr=follower,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(follower)
        self.assertEqual(process.wait(timeout=120), 0)
        reader.join()
        os.close(leader)
        self.assertIn(b"stage 1/2", b"".join(drawn))
        self.check_same(contents(self.directory / "other.h5"), whole)

    def test_config_of_the_run(self):
        run("gihflow", "sample", "-o", "d.h5", "--chains", "50", "--kernels-output", "k.h5", cwd=self.directory)
        given = {"data": ("--data", "d.h5", "--stages", "c:100,a:5"),
                 "kernels": ("--kernels", "k.h5", "--stages", "c:100,a:5", "--seed", "3"),
                 "kernels, infinite": ("--kernels", "k.h5", "--context", "infinite", "--stages", "a:5")}
        for name, options in {**WAYS, **given}.items():
            with self.subTest(name):
                plain = ("--outputs", "9", "--force", "--quiet") if name in given else PLAIN
                self.train("a.h5", *options, plain=plain)
                config = run("gihflow", "show", "a.h5", "--config", cwd=self.directory).stdout
                (self.directory / "c.toml").write_text(config)
                again = self.train("b.h5", "--config", "c.toml", "--force", plain=())
                self.check_same(again, contents(self.directory / "a.h5"))


if __name__ == "__main__":
    unittest.main()
