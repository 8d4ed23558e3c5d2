"""`train --resume`: a stopped run goes on in place to the file that it would have become, doing the rest of the work
only; what may differ from the file's config and what may not."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, contents, run

PLAIN = ("--chains", "40", "--validation-chains", "10", "--length", "25", "--outputs", "12")
STAGES = ("--stages", "c:50,w:20,a:3")
SMALL = (*PLAIN, *STAGES)


class Resume(DirectoryTest):
    def train(self, *options, expect=0):
        return run("gihflow", "train", *options, cwd=self.directory, expect=expect)

    def resume(self, *options, expect=0):
        return self.train("--resume", "run.h5", *options, expect=expect)

    def stop(self, *options, steps=9):
        self.train(*SMALL, *options, "--max-steps", str(steps), expect=5)

    def contents(self, name="run.h5"):
        return contents(self.directory / name)

    def test_every_dataset_ends_as_without_a_stop(self):
        stiff = ("--stages", "cwa:40", "--rtol", "1e-2")
        sets = ("--stages", "c{1,2}{3}:40,cw[2]:5")
        cases = {"auto": (), "auto, stiff": stiff, "sets and heads alone": sets,
                 "descent of sets": (*sets, "--method", "gd"), "fehlberg78": ("--integrator", "fehlberg78"),
                 "rodas5p": ("--integrator", "rodas5p"), "infinite": ("--context", "infinite"),
                 "descent": ("--method", "gd"), "adam": ("--method", "gd", "--optimizer", "adam"),
                 "fresh": ("--method", "gd", "--batch", "7", "--resample"),
                 "minibatches": ("--method", "gd", "--optimizer", "momentum", "--batch", "7")}
        for name, options in cases.items():
            with self.subTest(name):
                options = (*PLAIN, *options, *(() if "--stages" in options else STAGES), "--force")
                self.train(*options, "--max-steps", "100000", "-o", "whole.h5")
                with h5py.File(self.directory / "whole.h5") as file:
                    stages = [file[s].attrs for s in file if s.startswith("stage_")]
                    steps = sum(s["accepted_steps"] + s["rejected_steps"] for s in stages)
                    evaluations = sum(s["rhs_evaluations"] for s in stages)
                self.train(*options, "--max-steps", str(steps // 3), expect=5)
                for to in (2 * steps // 3, None):
                    found = json.loads(self.resume("--max-steps", str(to or 100000), "--json",
                                                   expect=5 if to else 0).stdout)
                    self.assertEqual(found["outcome"], "step_limit" if to else "reached")
                self.assertEqual(self.contents(), self.contents("whole.h5"))
                processes = found["execution"]["processes"]
                self.assertEqual([p["steps"] for p in processes],
                                 [steps // 3, 2 * steps // 3 - steps // 3, steps - 2 * steps // 3])
                self.assertEqual(sum(p["rhs_evaluations"] for p in processes), evaluations)
                for process in processes:
                    self.assertLess(process["rhs_evaluations"], 0.75 * evaluations)

    def test_a_config_whose_files_have_changed(self):
        """`--config run.h5` repeats the run bit for bit, or says that a file is no longer the run's."""
        def make(name, seed, *options):
            kind = "--kernels-output" if name.startswith("kernels") else "-o"
            run("gihflow", "sample", "--chains", "40", "--length", "25", "--seed", str(seed), kind, name, "--force", *options,
                *(() if kind == "-o" else ("-o", "unused.h5")), cwd=self.directory)

        cases = (("--data", "data.h5", "training"), ("--validation-data", "other.h5", "validation"),
                 ("--kernels", "kernels.h5", "training"))
        for option, name, chains in cases:
            with self.subTest(option):
                make(name, 1)
                small = ("--length", "25", "--outputs", "12", "--stages", "c:5")
                self.train(*small, option, name, "-o", "run.h5", "--force")
                again = ("--config", "run.h5", "-o", "again.h5", "--force")
                self.train(*again)
                self.assertEqual(self.contents(), self.contents("again.h5"))
                make(name, 2)
                self.assertRegex(self.train(*again, expect=2).stderr,
                                 f"error: run.h5: the {chains} chains have the hash [0-9a-f]+: must be [0-9a-f]+, that of the run")
                self.train(*again, option, name)
                self.assertNotEqual(self.contents(), self.contents("again.h5"))
                make(name, 1)
                self.train(*again, "--stages", "c:6")
                if option == "--kernels":
                    self.train(*again, "--seed", "9")  # other chains were asked for

    def test_options_that_differ(self):
        self.stop()
        before = self.contents()
        (self.directory / "c.toml").write_text("seed = 3\nlength = 25\n")
        done = self.resume("--rtol", "1e-3", "--chains", "41", "--kernels", "k.h5", "--config", "c.toml", "-o", "x.h5",
                           expect=2)
        self.assertEqual(set(done.stderr.splitlines()), {
            "error: --output x.h5: must be left out beside --resume run.h5, which is continued in place",
            "error: --chains 41: must be 40, as in run.h5",
            "error: --kernels k.h5: must be left out, as in run.h5",
            "error: --rtol 0.001: must be 1e-06, as in run.h5",
            "error: c.toml: seed 3: must be 1, as in run.h5",
        })
        done = self.resume("--preset", "reference", expect=2)
        self.assertIn("error: --boundary partial: must be masked, as in run.h5\n", done.stderr)
        done = self.resume("--max-steps", "9", "--threads", "0", expect=2)
        self.assertEqual(done.stderr.splitlines(), [
            "error: --threads 0: must be an integer from 1 to 1024",
            "error: --max-steps 9: must exceed the 9 steps that run.h5 has taken"])
        self.assertEqual(self.contents(), before)

    def test_options_that_may_differ(self):
        self.stop("--seed", "4", "--readout", "softmax")
        done = self.resume(*SMALL, "--seed", "4", "--engine", "auto", "--device", "auto", "--threads", "1",
                           "--checkpoint-every", "0", "--max-wall", "100", "--max-steps", "1000", "--output", "run.h5",
                           "--epsilon", "0.3")
        self.assertEqual(done.stderr, "note: --epsilon has no effect: run.h5 does not depend on it\n")
        self.assertEqual(list(self.directory.iterdir()), [self.directory / "run.h5"])

    def test_nothing_left(self):
        whole = self.train(*SMALL).stdout
        before = (self.directory / "run.h5").read_bytes()
        done = self.resume()
        self.assertEqual(done.stderr, "note: run.h5 has reached the end of its schedule: nothing is left to do\n")
        self.assertTrue(whole.startswith(done.stdout))
        self.resume("--stages", "c:51", expect=2)
        self.assertEqual((self.directory / "run.h5").read_bytes(), before)

    def test_what_is_no_run_is_refused(self):
        self.assertEqual(self.resume(expect=2).stderr, "error: run.h5: no such file\n")
        run("gihflow", "sample", "-o", "run.h5", "--chains", "5", cwd=self.directory)
        self.assertEqual(self.resume(expect=2).stderr,
                         "error: run.h5: is not a run file; must be one that gihflow train wrote\n")

    def test_a_number_that_was_changed_is_noticed(self):
        self.stop()
        hashed = "what it records has the hash "
        cases = {"checkpoint/x": hashed, "checkpoint/slope": hashed, "stage_1/loss": hashed, "stage_1/w": hashed,
                 "checkpoint/start/w": hashed, "stage_1/c": "/stage_1/c is ", "stage_1/p": "/stage_1/p is ",
                 "stage_1/attention": "/stage_1/attention is ", "final/w": "/final must hold "}
        for name, sentence in cases.items():
            with self.subTest(name):
                with h5py.File(self.directory / "run.h5", "r+") as file:
                    kept = file[name][()]
                    changed = np.array(kept)
                    changed.flat[0] += 1e-9
                    file[name][...] = changed
                before = (self.directory / "run.h5").read_bytes()
                self.assertIn(f"error: run.h5: is damaged: {sentence}", self.resume(expect=2).stderr)
                self.assertEqual((self.directory / "run.h5").read_bytes(), before)
                with h5py.File(self.directory / "run.h5", "r+") as file:
                    file[name][...] = kept
        self.resume("--max-steps", "1000")
        with h5py.File(self.directory / "run.h5", "r+") as file:
            del file["checkpoint"]
        self.resume(expect=2)

    def test_show_tells_of_resumption(self):
        self.stop()
        self.resume("--max-steps", "1000")
        self.assertIn("resumed      once, ", run("gihflow", "show", "run.h5", cwd=self.directory).stdout)
        with h5py.File(self.directory / "run.h5") as file:
            processes = file["execution/processes"]
            self.assertEqual(processes["steps"].shape, (2,))
            self.assertEqual(processes["command_line"].asstr()[1], "gihflow train --resume run.h5 --max-steps 1000")


if __name__ == "__main__":
    unittest.main()
