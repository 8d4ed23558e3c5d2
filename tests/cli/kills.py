"""What a run survives: kills at random moments and inside every system call of a write, failing writes, full disks, a
second process, signals. After each the file opens, and the run goes on to the bits of one that nothing happened to."""

import os
import resource
import shutil
import signal
import subprocess
import time
import unittest

from gihflow_testing import PROGRAM, DirectoryTest, contents, run
from kill_harness import Harness

KILLS = 40  # at night: kill_harness.py --kills 200
PLAIN = ("--chains", "40", "--validation-chains", "10", "--length", "20", "--outputs", "20", "--threads", "1")
SMALL = (*PLAIN, "--stages", "c:200,w:200,a:50")


STRACE = shutil.which(os.environ.get("GIHFLOW_STRACE", "strace"))


def can_trace():
    """Whether strace is installed and may trace here."""
    return STRACE and subprocess.run([STRACE, "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL).returncode == 0


class RandomKills(DirectoryTest):
    def test_kills_at_random_moments(self):
        counts = Harness(PROGRAM, self.directory, seed=1).run(KILLS)
        for line in counts.lines():
            print(line)
        self.assertGreaterEqual(counts["kills"], KILLS)
        self.assertGreater(counts["after_first_checkpoint"], KILLS // 2)


class Faults(DirectoryTest):
    """One run in many variations; self.whole is what it has to end with."""

    options = ("--checkpoint-every", "0", "--quiet")  # a write after every step

    def setUp(self):
        super().setUp()
        run("gihflow", "train", *SMALL, "-o", "whole.h5", "--quiet", cwd=self.directory)
        self.whole = contents(self.directory / "whole.h5")
        (self.directory / "whole.h5").unlink()

    def train(self, *options, expect=0, before=(), **keywords):
        return run(*before, str(PROGRAM), "train", *options, *self.options, cwd=self.directory, expect=expect, **keywords)

    def steps(self):
        stages = [values for name, values in contents(self.directory / "run.h5").items()
                  if name.startswith("stage_") and name.endswith(("@accepted_steps", "@rejected_steps"))]
        return sum(int.from_bytes(v, "little") if isinstance(v, bytes) else int(v) for v in stages)

    def check_goes_on(self, *options):
        self.train("--resume", "run.h5", *options)
        self.assertEqual(contents(self.directory / "run.h5"), self.whole)
        self.assertEqual(sorted(os.listdir(self.directory)), ["run.h5"])

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_kill_inside_every_system_call_of_a_write(self):
        for call, count in (("fsync", 21), ("write", 30), ("rename", 12), ("renameat2", 1), ("openat", 40), ("close", 60)):
            with self.subTest(call):
                for path in self.directory.iterdir():
                    path.unlink()
                self.train(*SMALL, expect=-signal.SIGKILL,
                           before=(STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=KILL:when={count}"))
                if (self.directory / "run.h5").exists():
                    self.check_goes_on()

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_a_write_that_fails_or_is_lost_leaves_the_checkpoint_before_it(self):
        for call, error in (("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO"), ("rename", "EIO")):
            with self.subTest(call=call, error=error):
                for path in self.directory.iterdir():
                    path.unlink()
                of_file = () if call == "rename" else ("-P", self.directory / "run.h5.partial")
                done = self.train(*SMALL, expect=4,
                                  before=(STRACE, "-f", "-o", "/dev/null", *of_file, "-e", f"trace={call}", "-e",
                                          f"inject={call}:error={error}:when=15"))
                self.assertRegex(done.stderr, r"error: .*run.h5.partial could not be (written|moved)")
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
                self.assertGreater(self.steps(), 5)
                self.check_goes_on()

    def test_a_write_stops_halfway(self):
        """A limit on the size of files, below that of the last checkpoints."""
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, 80_000))

        done = self.train(*SMALL, expect=4, preexec_fn=limit)
        self.assertIn("could not be written: File too large", done.stderr)
        self.assertEqual(os.listdir(self.directory), ["run.h5"])
        self.assertGreater(self.steps(), 5)
        self.train("--resume", "run.h5", expect=4, preexec_fn=limit)
        self.check_goes_on()

    def test_full_disk(self):
        disk = self.directory / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "none", disk], stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            self.skipTest("needs the right to mount a file system")
        try:
            # Checked before any work where it is foreseen; the estimate is an upper bound, so it always is.
            refused = self.train(*SMALL, "-o", "disk/run.h5", expect=2)
            self.assertIn("must fit in the 160.0 KiB free on its disk", refused.stderr)
            subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
            process = subprocess.Popen([PROGRAM, "train", *SMALL, "-o", "disk/run.h5", *self.options], cwd=self.directory,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 60
            while not (disk / "run.h5").exists() and time.monotonic() < deadline:
                time.sleep(0.001)
            self.fill(disk)
            errors = process.communicate(timeout=120)[1]
            self.assertEqual(process.returncode, 4, errors)
            self.assertIn("could not be written: No space left on device", errors)
            self.assertEqual(sorted(os.listdir(disk)), ["filler", "run.h5"])
            run("gihflow", "show", "disk/run.h5", cwd=self.directory)
            # Still full: refused, and nothing lost.
            before = (disk / "run.h5").read_bytes()
            self.train("--resume", "disk/run.h5", expect=2)
            self.assertEqual((disk / "run.h5").read_bytes(), before)
            (disk / "filler").unlink()
            self.train("--resume", "disk/run.h5")
            self.assertEqual(contents(disk / "run.h5"), self.whole)
        finally:
            subprocess.run(["umount", disk], check=True)

    def fill(self, disk):
        """Takes all the space there is."""
        with open(disk / "filler", "wb", buffering=0) as file:
            for size in (65536, 4096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def test_leftovers_of_a_kill_and_torn_files(self):
        self.train(*SMALL, "--max-steps", "20", expect=5)
        whole_file = (self.directory / "run.h5").read_bytes()
        for leftover in (b"", whole_file[:1000], whole_file):
            with self.subTest(len(leftover)):
                (self.directory / "run.h5").write_bytes(whole_file)
                (self.directory / "run.h5.partial").write_bytes(leftover)
                (self.directory / "run.h5.lock").write_bytes(b"")
                self.train("--resume", "run.h5", "--max-steps", "25", expect=5)
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
        for kept in (0, 100, len(whole_file) // 2, len(whole_file) - 1):
            torn = whole_file[:kept]
            (self.directory / "run.h5").write_bytes(torn)
            self.assertIn("error: run.h5", self.train("--resume", "run.h5", expect=2).stderr)
            self.assertEqual((self.directory / "run.h5").read_bytes(), torn)

    def test_of_many_processes_one_goes_on(self):
        self.train(*SMALL, "--max-steps", "20", expect=5)
        many = [subprocess.Popen([PROGRAM, "train", "--resume", "run.h5", "--max-steps", "100000", *self.options],
                                 cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                for _ in range(6)]
        errors = [process.communicate(timeout=120)[1] for process in many]
        codes = sorted(process.returncode for process in many)
        self.assertEqual(codes[0], 0)  # one that came after another had finished has nothing left to do
        self.assertTrue(set(codes) <= {0, 2}, errors)
        self.assertTrue(any(codes), "all six came after one another: no test")
        for process, error in zip(many, errors):
            if process.returncode == 2:
                self.assertEqual(error, "error: output run.h5: cannot be locked: another process is writing it\n")
        steps = contents(self.directory / "run.h5", without=())["execution/processes/steps"]
        self.assertEqual(steps[1], (2,))  # the first process and one more
        found = contents(self.directory / "run.h5")
        found.pop("@config"), self.whole.pop("@config")  # the limit
        self.assertEqual(found, self.whole)

    def test_signals(self):
        slow = ("--engine", "reference")
        run("gihflow", "train", *SMALL, *slow, "-o", "whole.h5", "--quiet", cwd=self.directory)
        self.whole = contents(self.directory / "whole.h5")
        (self.directory / "whole.h5").unlink()
        for numbers in ((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)):
            with self.subTest(numbers):
                process = subprocess.Popen([PROGRAM, "train", *SMALL, *slow, *self.options, "--force"], cwd=self.directory,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                deadline = time.monotonic() + 60
                while not (self.directory / "run.h5").exists() and time.monotonic() < deadline:
                    time.sleep(0.001)
                for number in numbers:
                    process.send_signal(number)
                    time.sleep(0.001)
                errors = process.communicate(timeout=120)[1]
                self.assertEqual(process.returncode, 130, errors)
                self.assertIn("stopping after the current step", errors)
                self.check_goes_on()
                (self.directory / "run.h5").unlink()

    def test_wall_limit(self):
        self.train(*SMALL, "--max-wall", "0.3", expect=5)
        self.check_goes_on()


if __name__ == "__main__":
    unittest.main()
