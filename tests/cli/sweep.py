"""Sweeps: plans, members as processes, kills and resumptions, shards, failures, the collected table, replicas."""

import csv
import fcntl
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

from gihflow_testing import PROGRAM, DirectoryTest, contents, run

SMALL = """stages = ["c:20", "w:20"]
length = 24
validation-chains = 10
outputs = 8
"""


def processor_seconds():
    """Of the processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Sweep(DirectoryTest):
    def plan(self, text, name="plan.toml"):
        (self.directory / name).write_text(text)
        return name

    def sweep(self, *options, **keywords):
        return run("gihflow", "sweep", "plan.toml", *options, cwd=self.directory, **keywords)

    def status(self, *options, **keywords):
        return json.loads(self.sweep("-d", "out", "--status", "--json", *options, **keywords).stdout)

    def files(self, name="out"):
        return sorted(path.name for path in (self.directory / name).iterdir())

    def start(self, *options, **keywords):
        return subprocess.Popen([str(PROGRAM), "sweep", "plan.toml", "-d", "out", *options], cwd=self.directory,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords)

    def test_grid_zip_and_replicas(self):
        self.plan(SMALL + """replicas = 2
[grid]
alpha = [0.1, 1]
[zip]
chains = [10, 20]
heads = [2, 3]
""")
        said = self.sweep("-d", "out")
        self.assertEqual(said.stderr, "")
        names = [f"alpha={a}_chains={n}_heads={h}_seed={s}" for a in ("0.1", "1") for n, h in ((10, 2), (20, 3)) for s in (1, 2)]
        self.assertEqual(self.files(), sorted(f"{name}.h5" for name in names) + ["sweep.lock"])
        self.assertEqual([entry["name"] for entry in self.status()["list"]], names)
        # A member is the run that its options stand for.
        run("gihflow", "train", "--stages", "c:20,w:20", "--length", "24", "--validation-chains", "10", "--outputs", "8",
            "--alpha", "0.1", "--chains", "20", "--heads", "3", "--seed", "2", "-o", "alone.h5", cwd=self.directory)
        self.assertEqual(contents(self.directory / "alone.h5"), contents(self.directory / f"out/{names[3]}.h5"))

    def test_a_second_call_runs_what_is_missing(self):
        self.plan(SMALL + "[grid]\nchains = [5, 6, 7]\n")
        self.assertEqual(json.loads(self.sweep("-d", "out", "--json").stdout)["run"], 3)
        self.assertEqual(json.loads(self.sweep("-d", "out", "--json").stdout)["run"], 0)
        (self.directory / "out/chains=6.h5").unlink()
        before = (self.directory / "out/chains=5.h5").stat().st_mtime_ns
        self.plan(SMALL + "[grid]\nchains = [5, 6, 7, 8]\n")
        status = self.status()
        self.assertEqual((status["done"], status["left"]), (2, 2))
        self.assertEqual(json.loads(self.sweep("-d", "out", "--json").stdout)["run"], 2)
        self.assertEqual((self.directory / "out/chains=5.h5").stat().st_mtime_ns, before)
        self.assertEqual(self.status()["done"], 4)

    def test_finished_means_verified(self):
        self.plan(SMALL + "[grid]\nchains = [5, 6, 7]\n")
        self.sweep("-d", "out")
        whole = contents(self.directory / "out/chains=6.h5")
        data = bytearray((self.directory / "out/chains=6.h5").read_bytes())
        (self.directory / "out/chains=6.h5").write_bytes(data[: len(data) // 2])  # as a full disk might leave it
        self.assertEqual([entry["state"] for entry in self.status()["list"]], ["done", "begun", "done"])
        done = self.sweep("-d", "out", "--json")
        self.assertIn("moved to out/chains=6.damaged, the member is run anew", done.stderr)
        self.assertEqual(json.loads(done.stdout)["run"], 1)
        self.assertEqual(contents(self.directory / "out/chains=6.h5"), whole)
        self.assertTrue((self.directory / "out/chains=6.damaged").exists())

    def test_files_of_another_setting_are_refused(self):
        self.plan(SMALL + "[grid]\nchains = [5]\n")
        self.sweep("-d", "out")
        self.plan(SMALL + "rtol = 1e-3\n[grid]\nchains = [5, 6]\n")
        for action in ((), ("--status",), ("--collect", "x.h5")):
            errors = self.sweep("-d", "out", *action, expect=2).stderr
            self.assertRegex(errors, r"out/chains=5\.h5: rtol 1e-0?6: must be 0\.001, as in the plan")
        self.assertEqual(self.files(), ["chains=5.h5", "sweep.lock"])

    def test_faults_of_plans(self):
        many = "[grid]\nalpha = [0.1]\n"
        for text, said in (
            ("[grid]\nalfa = [1]\n", "plan.toml: unknown key alfa; the nearest key is alpha"),
            ("[grid]\nalpha = 1\n", "plan.toml: alpha: must be a list of values, each a finite number above 0"),
            ("[grid]\nalpha = []\n", "plan.toml: alpha: must be a list of values"),
            ("[grid]\nalpha = [1, -1]\n", "plan.toml: alpha -1: must be a finite number above 0"),
            ("[grid]\nalpha = [1, 1.0]\n", "plan.toml: alpha: must have different values"),
            ("[grid]\noutput = [\"x.h5\"]\n", "plan.toml: output: cannot be swept: no number of a run depends on it"),
            ("[grid]\ntolerance = [1.0]\n", "plan.toml: tolerance: cannot be swept"),
            ("[grid]\nalpha = [1]\n[zip]\nalpha = [1]\n", "plan.toml: alpha: must be swept once only"),
            ("[zip]\nalpha = [1, 2]\nchains = [1, 2, 3]\n", "plan.toml: chains 3 values: must have 2, like alpha in the same"),
            ("grid = 3\n", "plan.toml: grid must be a table, [grid]"),
            ("zip = [3]\n", "plan.toml: zip must be a table, [zip], or several, [[zip]]"),
            ("replicas = 0\n", "plan.toml: replicas: must be an integer from 1 to 1000000"),
            ("replicas = 2\n[grid]\nseed = [1, 2]\n", "plan.toml: replicas: must be left out where seed is swept"),
            ("[zip]\nchains = [5, 5]\n", "plan.toml: two members have the values chains=5"),
            ("threads = 2\n", "plan.toml: threads: must be left out of a plan"),
            ("alpha = \n", "plan.toml: line 1, column 9: not TOML"),
            ("learning-rate = 0.5\n" + many, "learning-rate: "),
            ("[grid]\nlearning-rate = [0.5, 1]\n", "plan.toml: learning-rate: must not be swept: it has no effect in any member"),
            # how options fit together, told once, with the members
            ("length = 3\n[grid]\nchains = [5, 6]\n", "plan.toml: length 3: must "),
            ("[grid]\nlength = [3, 30]\n", "(in length=3)"),
        ):
            with self.subTest(text):
                self.plan(text)
                errors = self.sweep("-d", "out", expect=None)
                if "learning-rate: " == said:  # has no effect and is not swept: as in a config
                    self.assertEqual(errors.returncode, 0, errors.stderr)
                    shutil.rmtree(self.directory / "out")
                    continue
                self.assertEqual(errors.returncode, 2, errors.stderr)
                self.assertIn(said, errors.stderr)
                self.assertEqual(errors.stderr.count("\n"), errors.stderr.count("error: "))
                self.assertEqual(self.files("."), ["plan.toml"], "something was written")

    def test_faults_of_calls(self):
        self.plan(SMALL)
        self.assertIn("--directory: must be given", self.sweep(expect=2).stderr)
        self.assertIn("--collect: must be left out beside --status",
                      self.sweep("-d", "out", "--status", "--collect", "x.h5", expect=2).stderr)
        self.assertIn("--shard 3/2: must be K/N", self.sweep("-d", "out", "--shard", "3/2", expect=2).stderr)
        self.assertIn("nowhere.toml: no such file",
                      run("gihflow", "sweep", "nowhere.toml", "-d", "out", cwd=self.directory, expect=2).stderr)
        self.assertEqual(self.files("."), ["plan.toml"])
        self.sweep("-d", "out")
        self.assertIn("must be a plan in TOML, not a file that gihflow wrote",
                      run("gihflow", "sweep", "out/run.h5", "-d", "out", cwd=self.directory, expect=2).stderr)

    def test_a_failing_member_does_not_stop_the_rest(self):
        # The step limit of one, a time limit; and a member whose file another process holds.
        self.plan(SMALL + "[grid]\nmax-steps = [3, 100000]\n")
        done = self.sweep("-d", "out", "--json", expect=5)
        outcomes = {entry["name"]: (entry["state"], entry["outcome"]) for entry in json.loads(done.stdout)["list"]}
        self.assertEqual(outcomes, {"max-steps=3": ("done", "step_limit"), "max-steps=100000": ("done", "reached")})
        self.assertEqual(json.loads(self.sweep("-d", "out", "--json", expect=5).stdout)["run"], 0)

        self.plan(SMALL + "[grid]\nchains = [5, 6]\n")
        holder = subprocess.Popen(["flock", "out/chains=5.h5.lock", "sleep", "60"], cwd=self.directory, start_new_session=True)
        while not (self.directory / "out/chains=5.h5.lock").exists():
            time.sleep(0.01)
        done = self.sweep("-d", "out", expect=3)
        self.assertIn("note: chains=5 failed: ended with exit code 2: error: ", done.stderr)
        self.assertRegex(done.stdout, r"(?s)done +1\nfailed +1\n.*chains=5:  ended with exit code 2: error: ")
        self.assertIn("ended with exit code 2", (self.directory / "out/chains=5.log").read_text())
        self.assertEqual(self.status()["failed"], 1)
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
        (self.directory / "out/chains=5.h5.lock").unlink()
        self.sweep("-d", "out")  # the next call tries it again
        self.assertEqual(self.status()["done"], 2)
        self.assertFalse((self.directory / "out/chains=5.log").exists())

    def test_files_of_the_user_stay(self):
        self.plan(SMALL + "[grid]\nchains = [5, 6]\n")
        self.sweep("-d", "out")
        mine = {"chains=5.log": "my notes\n", "chains=5.damaged": "mine\n", "chains=5.damaged2": "mine too\n", "chains=6.log": ""}

        def check_mine():
            for name, text in mine.items():
                self.assertEqual((self.directory / "out" / name).read_text(), text)

        for name, text in mine.items():
            (self.directory / "out" / name).write_text(text)
        for number in (5, 6):
            (self.directory / f"out/chains={number}.h5").write_text(f"damaged {number}")
        states = [(entry["state"], entry["why"]) for entry in self.status()["list"]]
        self.assertTrue(all(state == "begun" and "my notes" not in why for state, why in states), states)
        (self.directory / "out/chains=5.h5.lock").write_text("")
        with open(self.directory / "out/chains=5.h5.lock") as held:  # its member fails
            fcntl.flock(held, fcntl.LOCK_EX)
            errors = self.sweep("-d", "out", expect=3).stderr
        self.assertIn("moved to out/chains=5.damaged3, the member is run anew", errors)
        self.assertEqual((self.directory / "out/chains=5.damaged3").read_text(), "damaged 5")
        log = (self.directory / "out/chains=5.log2").read_text()
        self.assertTrue(log.startswith("gihflow sweep: messages of a process that failed\nerror: "), log)
        self.assertEqual([entry["state"] for entry in self.status()["list"]], ["failed", "done"])
        check_mine()
        (self.directory / "out/chains=5.h5.lock").unlink()
        self.sweep("-d", "out")
        check_mine()
        self.assertFalse((self.directory / "out/chains=5.log2").exists())
        self.assertEqual(self.status()["done"], 2)

    def test_a_numerical_failure_is_an_outcome(self):
        self.plan('stages = ["c:1"]\nchains = 5\nvalidation-chains = 0\n[grid]\nc-init = [1e-320, 1.0]\n')
        done = self.sweep("-d", "out", "--json", expect=3)
        self.assertIn("failed: non_finite", done.stderr)
        states = [(entry["state"], entry["outcome"]) for entry in json.loads(done.stdout)["list"]]
        self.assertEqual(states, [("failed", "non_finite"), ("done", "reached")])
        self.assertEqual(json.loads(self.sweep("-d", "out", "--json", expect=3).stdout)["run"], 0, "it was run again")

    def test_kills(self):
        """200 members on two cores, killed twice at random: nothing is lost, nothing is run twice, the table is the same."""
        self.plan(SMALL + "replicas = 100\n[grid]\nchains = [10, 20]\n")
        whole = self.start("--jobs", "2")
        began = time.monotonic()
        self.assertEqual(whole.wait(timeout=600), 0)
        seconds = time.monotonic() - began
        self.sweep("-d", "out", "--collect", "whole.h5", "--quiet")
        (self.directory / "out").rename(self.directory / "whole")
        generator = random.Random(14)
        finished = {}

        def check_finished():
            for name, (mtime, data) in finished.items():
                path = self.directory / "out" / name
                self.assertEqual((path.stat().st_mtime_ns, path.read_bytes()), (mtime, data), "run again, or lost")

        # The sweep alone, whose members end with a checkpoint; then all of its processes at once, as a machine goes down.
        for kill in (os.kill, os.killpg):
            process = self.start("--jobs", "2", start_new_session=True)
            time.sleep(generator.uniform(0.1, 0.4) * seconds)
            kill(process.pid, signal.SIGKILL)
            process.communicate()
            check_finished()
            time.sleep(1)
            status = self.status()
            self.assertEqual(status["running"], 0, status)
            self.assertGreater(status["done"], len(finished))
            for entry in status["list"]:
                if entry["state"] == "done":
                    path = self.directory / f"out/{entry['name']}.h5"
                    finished[path.name] = path.stat().st_mtime_ns, path.read_bytes()
        self.assertLess(len(finished), 200, "the kills came too late")
        last = json.loads(self.sweep("-d", "out", "--json", "--jobs", "2").stdout)
        self.assertEqual((last["done"], last["run"]), (200, 200 - len(finished)))
        check_finished()
        self.assertEqual(self.files(), self.files("whole"))
        continued = 0
        for path in sorted((self.directory / "out").glob("*.h5")):
            self.assertEqual(contents(path), contents(self.directory / "whole" / path.name), path.name)
            with h5py.File(path) as file, h5py.File(self.directory / "whole" / path.name) as once:
                steps = file["execution/processes/steps"][:]
                self.assertEqual(steps.sum(), once["execution/processes/steps"][0], path.name)
                continued += len(steps) > 1
        self.assertLessEqual(continued, 4, "two kills of two members at work each")
        used = processor_seconds()
        self.sweep("-d", "out", "--collect", "out.h5", "--quiet")
        self.assertLess(processor_seconds() - used, 10, "200 runs in more than 5 s on two cores")
        same = {"without": ("wall_seconds",)}
        self.assertEqual(contents(self.directory / "out.h5", **same), contents(self.directory / "whole.h5", **same))

    def test_what_a_kill_left_beside_a_whole_file_goes(self):
        self.plan(SMALL + "[grid]\nchains = [5, 6, 7]\n")
        self.sweep("-d", "out")
        whole = self.files()
        def lock(name, text):
            (self.directory / f"out/{name}.h5.lock").write_text(text)
            (self.directory / f"out/{name}.h5.partial").write_text("")
        lock("chains=5", "gihflow writes chains=5.h5.partial\n")  # of a process that was killed
        lock("chains=6", "gihflow writes chains=6.h5.partial\n")  # of one that writes
        lock("chains=7", "not of this program\n")
        with open(self.directory / "out/chains=6.h5.lock") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.status()
            self.assertEqual(len(self.files()), len(whole) + 6, "to look at a sweep changes nothing")
            self.sweep("-d", "out")
        kept = [f"chains={number}.h5.{end}" for number in (6, 7) for end in ("lock", "partial")]
        self.assertEqual(self.files(), sorted(whole + kept))

    def test_signals_end_members_with_checkpoints(self):
        self.plan('chains = 30\nvalidation-chains = 0\nengine = "reference"\nstages = ["w:1000000"]\n[grid]\nlength = [100, 101]\n')
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            with self.subTest(number):
                process = self.start("--jobs", "2", "--json")
                deadline = time.monotonic() + 60
                while len(list(self.directory.glob("out/*.h5"))) < 2 and time.monotonic() < deadline:
                    time.sleep(0.02)
                time.sleep(0.3)
                self.assertEqual(self.status()["running"], 2)
                process.send_signal(number)
                output, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 130, errors)
                self.assertEqual(json.loads(output)["begun"], 2)
                for path in self.directory.glob("out/*.h5"):
                    with h5py.File(path) as file:
                        self.assertEqual(file.attrs["outcome"], "interrupted")

    def test_shards_and_slurm(self):
        self.plan(SMALL + "[grid]\nchains = [5, 6, 7, 8, 9]\n")
        self.sweep("-d", "out", "--shard", "2/2")
        self.assertEqual(self.files(), ["chains=6.h5", "chains=8.h5", "sweep.lock"])
        array = dict(os.environ, SLURM_ARRAY_TASK_ID="14", SLURM_ARRAY_TASK_MIN="10", SLURM_ARRAY_TASK_STEP="2",
                     SLURM_ARRAY_TASK_COUNT="3")
        done = json.loads(self.sweep("-d", "out", "--json", env=array).stdout)
        self.assertEqual([entry["name"] for entry in done["list"]], ["chains=7"])
        odd = dict(array, SLURM_ARRAY_TASK_ID="15")
        self.assertIn("SLURM_ARRAY_TASK_ID 15: must be one of 3 evenly spaced tasks from 10 on; give --shard otherwise",
                      self.sweep("-d", "out", env=odd, expect=2).stderr)
        self.assertEqual(self.status("--shard", "1/1")["done"], 3)

    def test_two_calls_share_a_directory(self):
        self.plan(SMALL + "replicas = 24\nchains = 50\n")
        first, second = self.start("--jobs", "1", "--json"), self.start("--jobs", "1", "--json")
        results = [json.loads(process.communicate(timeout=300)[0]) for process in (first, second)]
        self.assertEqual([result["done"] for result in results], [24, 24])
        self.assertEqual(sum(result["run"] for result in results), 24)
        self.assertGreater(min(result["run"] for result in results), 0)

    def test_collected_table(self):
        self.plan(SMALL + """replicas = 3
fresh-chains = 50
lengths = [12, 24, 48]
[grid]
chains = [10, 20]
labels = ["conditional", "sampled"]
""")
        self.sweep("-d", "out")
        (self.directory / "out/chains=20_labels=sampled_seed=3.h5").unlink()
        self.sweep("-d", "out", "--collect", "table.h5", "--quiet")
        self.assertIn("table.h5", self.sweep("-d", "out", "--collect", "table.h5", expect=2).stderr)
        self.sweep("-d", "out", "--collect", "table.csv", "--quiet")
        with open(self.directory / "table.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 12)
        self.assertEqual([row["state"] for row in rows], ["done"] * 11 + ["left"])
        self.assertEqual(rows[11]["loss"], "")
        with h5py.File(self.directory / "table.h5") as table:
            self.assertEqual([name.decode() for name in table["member"]], [row["member"] for row in rows])
            for key, row in enumerate(rows[:11]):
                for name in ("chains", "seed", "loss", "a", "energy_residual", "gih_loss", "total_variation", "passed"):
                    self.assertEqual(float(row[name]), table[name][key], name)
                with h5py.File(self.directory / f"out/{row['member']}.h5") as file:
                    self.assertEqual(table["loss"][key], file["stage_2/loss"][-1])
                    self.assertEqual(table["p"][key].tolist(), file["stage_2/p"][-1].tolist())
                    self.assertEqual(float(row["p{1,2}"]), file["stage_2/p"][-1][4])
                    self.assertEqual(float(row["w[2,3]"]), file["stage_2/w"][-1][1, 2])
                    self.assertEqual(table["rhs_evaluations"][key],
                                     sum(file[f"stage_{k}"].attrs["rhs_evaluations"] for k in (1, 2)))
            self.assertTrue(np.isnan(table["loss"][11]))
            self.assertEqual(table["loss"].attrs["units"], "nats")
            self.assertEqual(table["labels"][3], b"sampled")
            for key in (0, 10):
                verdict = json.loads(run("gihflow", "check", f"out/{rows[key]['member']}.h5", "--fresh-chains", "50",
                                         "--lengths", "12,24,48", "--json", cwd=self.directory, expect=None).stdout)
                farthest = max((point["to_information_set"] for point in verdict["results"]),
                               key=lambda distance: distance["total_variation"])
                for name in ("total_variation", "total_variation_standard_error"):
                    self.assertEqual(farthest[name], table[name][key], name)
                self.assertEqual(verdict["passed"], bool(table["passed"][key]))

    def test_drifts_of_what_is_conserved(self):
        self.plan(SMALL.replace('"w:20"', '"cwaqk:2"') + """scores = "tokens"
chains = 20
replicas = 2
fresh-chains = 10
lengths = [12, 24]
""")
        self.sweep("-d", "out")
        self.sweep("-d", "out", "--collect", "table.h5", "--quiet")
        with h5py.File(self.directory / "table.h5") as table:
            for key, member in enumerate(table["member"]):
                with h5py.File(self.directory / f"out/{member.decode()}.h5") as file:
                    for name in ("balancedness", "key_sum"):
                        drifts = [np.max(np.abs(file[stage][name] - file[stage][name][0])) for stage in ("stage_1", "stage_2")]
                        self.assertGreater(drifts[1], drifts[0])
                        self.assertEqual(table[f"{name}_drift"][key], drifts[1])
            self.assertTrue(np.all(np.isnan(table["value_sum_drift"])))

    def test_bands_over_replicas(self):
        self.plan(SMALL + "replicas = 5\n[grid]\nchains = [10, 20]\n")
        self.sweep("-d", "out")
        self.sweep("-d", "out", "--collect", "table.h5", "--quiet")
        with h5py.File(self.directory / "table.h5") as table:
            for point, chains in ((1, 10), (2, 20)):
                self.assertEqual(table[f"point_{point}"].attrs["chains"], chains)
                for stage in ("stage_1", "stage_2"):
                    group = table[f"point_{point}/{stage}"]
                    self.assertEqual(set(group["replicas"]), {5})
                    levels = group["quantile"][:]
                    runs = [h5py.File(self.directory / f"out/chains={chains}_seed={seed}.h5")[stage] for seed in range(1, 6)]
                    columns = {name for name in runs[0] if isinstance(runs[0][name], h5py.Dataset)} - {"t"}
                    self.assertEqual({name[:-5] for name in group if name.endswith("_mean")}, columns)
                    self.assertEqual(group["t"][:].tolist(), runs[0]["t"][:].tolist())
                    for name in columns:
                        values = np.array([one[name][:] for one in runs])
                        np.testing.assert_allclose(group[f"{name}_mean"][:], values.mean(axis=0), rtol=1e-12, atol=1e-300)
                        np.testing.assert_allclose(group[f"{name}_deviation"][:], values.std(axis=0, ddof=1), rtol=1e-6,
                                                   atol=1e-14)
                        np.testing.assert_allclose(group[f"{name}_quantile"][:], np.quantile(values, levels, axis=0),
                                                   rtol=1e-12, atol=1e-300)

    def test_train_with_replicas(self):
        options = ("--stages", "c:20,w:20", "--length", "24", "--validation-chains", "10", "--outputs", "8", "--chains", "10",
                   "--seed", "7", "--replicas", "3", "-o", "ensemble.h5")
        said = run("gihflow", "train", *options, cwd=self.directory).stdout
        self.assertIn("written to ensemble.h5", said)
        self.assertEqual(self.files("ensemble.members"), ["seed=7.h5", "seed=8.h5", "seed=9.h5", "sweep.lock"])
        with h5py.File(self.directory / "ensemble.h5") as file:
            self.assertEqual(file["seed"][:].tolist(), [7, 8, 9])
            self.assertEqual(file["point_1/stage_2/loss_quantile"].shape[0], 5)
        self.assertIn("ensemble.h5", run("gihflow", "train", *options, cwd=self.directory, expect=2).stderr)
        (self.directory / "ensemble.h5").unlink()
        again = json.loads(run("gihflow", "train", *options, "--json", cwd=self.directory).stdout)
        self.assertEqual((again["run"], again["done"]), (0, 3))
        self.assertIn("--resume x.h5: must be left out beside --replicas",
                      run("gihflow", "train", "--replicas", "2", "--resume", "x.h5", cwd=self.directory, expect=2).stderr)

    def test_job_script(self):
        self.plan(SMALL + "replicas = 4\n")
        script = self.sweep("-d", "out", "--sbatch", "--jobs", "3", "--threads", "2", "--shard", "1/5").stdout
        for line in ("#SBATCH --array=1-5", "#SBATCH --cpus-per-task=6", "#SBATCH --signal=B:USR1@60", "#SBATCH --requeue"):
            self.assertIn(line + "\n", script)
        self.assertIn("gihflow sweep plan.toml --directory out --jobs 3 --threads 2", script)
        run("bash", "-n", "-c", script)
        self.assertEqual(self.files("."), ["plan.toml"])

    def test_dry_run_lists_the_members(self):
        self.plan(SMALL + "[grid]\nparents = [[1, 2], [1]]\nstages = [\"c:5\", [\"c:5\", \"w:5\"]]\n")
        said = self.sweep("--dry-run").stdout
        names = re.findall(r"^parents=.*$", said, re.MULTILINE)
        self.assertEqual(len(names), 4)
        self.assertRegex(names[0], r"^parents=1,2_stages=c-5_[0-9a-f]{16}$")  # a colon had better not be in a file's name
        self.assertEqual(len(set(names)), 4)
        self.assertEqual(self.files("."), ["plan.toml"])


if __name__ == "__main__":
    unittest.main()
