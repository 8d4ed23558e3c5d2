"""What a run survives: kills at random moments and inside every system call of a write, failing writes, full disks, a
second process, signals. After each the file opens, and the run goes on to the bits of one that nothing happened to."""

import os
import re
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
# A million steps and as many writes: no machine comes to its end while a test waits.
ENDLESS = (*PLAIN, "--method", "gd", "--stages", "c:1000000")


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

    def steps(self, name="run.h5"):
        stages = [values for name, values in contents(self.directory / name).items()
                  if name.startswith("stage_") and name.endswith(("@accepted_steps", "@rejected_steps"))]
        return sum(int.from_bytes(v, "little") if isinstance(v, bytes) else int(v) for v in stages)

    def check_goes_on(self, *options):
        self.train("--resume", "run.h5", *options)
        self.assertEqual(contents(self.directory / "run.h5"), self.whole)
        self.assertEqual(sorted(os.listdir(self.directory)), ["run.h5"])

    def check_endless_goes_on(self, name="run.h5"):
        """Ten steps more, to the bits of a run that took as many without a stop."""
        steps = self.steps(name)
        self.train("--resume", name, "--max-steps", str(steps + 10), expect=5)
        run("gihflow", "train", *ENDLESS, "--max-steps", str(steps + 10), "-o", "straight.h5", "--quiet", cwd=self.directory,
            expect=5)
        self.assertEqual(contents(self.directory / name), contents(self.directory / "straight.h5"))
        (self.directory / "straight.h5").unlink()

    def calls(self, call, *of_file):
        """How often a whole run makes a system call, with a write after every step."""
        self.train(*SMALL, "--force", before=(STRACE, "-f", "-o", "calls", *of_file, "-e", f"trace={call}"))
        found = re.findall(rf"^(?:\d+ +)?{call}\(", (self.directory / "calls").read_text(), re.MULTILINE)
        (self.directory / "calls").unlink()
        return len(found)

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_kill_inside_every_system_call_of_a_write(self):
        killed = set()
        for call in ("fsync", "write", "rename", "renameat2", "openat", "close"):
            with self.subTest(call):
                count = self.calls(call)
                (self.directory / "run.h5").unlink(missing_ok=True)
                if count == 0:  # renames are made by one of two calls, or by both
                    continue
                self.train(*SMALL, expect=-signal.SIGKILL,
                           before=(STRACE, "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=KILL:when={count // 2 + 1}"))
                killed.add(call)
                if (self.directory / "run.h5").exists():
                    self.check_goes_on()
                for path in self.directory.iterdir():
                    path.unlink()
        self.assertGreaterEqual(killed, {"fsync", "write", "openat", "close"})
        self.assertTrue(killed & {"rename", "renameat2"})

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_kill_while_the_leftovers_of_a_kill_are_removed(self):
        """The lock file stays the program's own throughout, so that the next process removes what is left."""
        for left in ("run.h5.partial", "run.h5.partial2"):
            for call in ("pread64", "pwrite64", "ftruncate"):
                with self.subTest(left=left, call=call):
                    self.train(*SMALL, "--max-steps", "20", "--force", expect=5)
                    (self.directory / left).write_bytes(b"")
                    lock = self.directory / "run.h5.lock"
                    lock.write_text(f"gihflow writes {left}\n")
                    self.train("--resume", "run.h5", expect=-signal.SIGKILL,
                               before=(STRACE, "-f", "-o", "/dev/null", "-P", lock, "-e", f"trace={call}", "-e",
                                       f"inject={call}:signal=KILL:when=1"))
                    self.train("--resume", "run.h5", "--max-steps", "25", expect=5)
                    self.assertEqual(os.listdir(self.directory), ["run.h5"])

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_a_write_that_fails_or_is_lost_leaves_the_checkpoint_before_it(self):
        for call, error in (("write", "ENOSPC"), ("write", "EIO"), ("fsync", "EIO"), ("rename", "EIO")):
            with self.subTest(call=call, error=error):
                of_file = () if call == "rename" else ("-P", self.directory / "run.h5.partial")
                half = self.calls(call, *of_file) // 2
                for path in self.directory.iterdir():
                    path.unlink()
                done = self.train(*SMALL, expect=4,
                                  before=(STRACE, "-f", "-o", "/dev/null", *of_file, "-e", f"trace={call}", "-e",
                                          f"inject={call}:error={error}:when={half + 1}"))
                self.assertRegex(done.stderr, r"error: .*run.h5.partial could not be (written|moved)")
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
                self.assertGreater(self.steps(), 0)
                self.check_goes_on()

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_file_systems_without_locks(self):
        """Writing goes on with a note and leaves no lock file; reading needs no lock."""
        for error in ("ENOSYS", "EOPNOTSUPP", "ENOLCK"):
            with self.subTest(error):
                for path in self.directory.iterdir():
                    path.unlink()
                before = (STRACE, "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject=flock:error={error}")
                done = run(*before, PROGRAM, "train", *SMALL, "--max-steps", "5", cwd=self.directory, expect=5)
                self.assertIn("note: output run.h5: its file system has no locks", done.stderr)
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
                self.train("--resume", "run.h5", "--max-steps", "9", before=before, expect=5)
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
                self.assertEqual(self.steps(), 9)
                for command in (("show", "run.h5"), ("diff", "run.h5", "run.h5"), ("sample", "-o", "data.h5")):
                    run(*before, PROGRAM, *command, cwd=self.directory)

    @unittest.skipUnless(can_trace(), "needs strace")
    def test_threads_that_the_system_refuses(self):
        """Fewer threads, the same results."""
        self.train(*PLAIN[:-1], "4", "--stages", "c:200,w:200,a:50",
                   before=(STRACE, "-f", "-o", "/dev/null", "-e", "trace=clone,clone3", "-e",
                           "inject=clone,clone3:error=EAGAIN"))
        self.assertEqual(contents(self.directory / "run.h5"), self.whole)

    def test_a_write_stops_halfway(self):
        """A limit on the size of files, between those of the first checkpoint and the last."""
        self.train(*SMALL, "--max-steps", "1", expect=5)
        first = (self.directory / "run.h5").stat().st_size
        self.train(*SMALL, "--force")
        most = (first + (self.directory / "run.h5").stat().st_size) // 2
        self.assertGreater(most, first)
        (self.directory / "run.h5").unlink()

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

        done = self.train(*SMALL, expect=4, preexec_fn=limit)
        self.assertIn("could not be written: File too large", done.stderr)
        self.assertEqual(os.listdir(self.directory), ["run.h5"])
        self.assertGreater(self.steps(), 0)
        self.train("--resume", "run.h5", expect=4, preexec_fn=limit)
        self.check_goes_on()

    def test_full_disk(self):
        disk = self.directory / "disk"
        disk.mkdir()
        self.train(*SMALL)
        size = (self.directory / "run.h5").stat().st_size // 2  # too small for the file
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], stderr=subprocess.DEVNULL)
        if mounted.returncode != 0:
            self.skipTest("needs the right to mount a file system")
        try:
            # Checked before any work where it is foreseen; the estimate is an upper bound, so it always is.
            refused = self.train(*SMALL, "-o", "disk/run.h5", expect=2)
            self.assertRegex(refused.stderr, r"must fit in the [\d.]+ KiB free on its disk")
            subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
            process = self.begin(*ENDLESS, "-o", "disk/run.h5")
            self.wait_for(disk / "run.h5")
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
            self.check_endless_goes_on("disk/run.h5")
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
                (self.directory / "run.h5.lock").write_bytes(b"gihflow writes run.h5.partial\n")
                self.train("--resume", "run.h5", "--max-steps", "25", expect=5)
                self.assertEqual(os.listdir(self.directory), ["run.h5"])
        for kept in (0, 100, len(whole_file) // 2, len(whole_file) - 1):
            torn = whole_file[:kept]
            (self.directory / "run.h5").write_bytes(torn)
            self.assertIn("error: run.h5", self.train("--resume", "run.h5", expect=2).stderr)
            self.assertEqual((self.directory / "run.h5").read_bytes(), torn)

    def begin(self, *options):
        return subprocess.Popen([PROGRAM, "train", *options, *self.options], cwd=self.directory,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait_for(self, path):
        deadline = time.monotonic() + 60
        while not path.exists():
            self.assertLess(time.monotonic(), deadline, f"no {path}")
            time.sleep(0.001)

    def test_of_many_processes_one_goes_on(self):
        self.train(*ENDLESS, "--max-steps", "20", expect=5)
        before = (self.directory / "run.h5").stat().st_ino
        many = [self.begin("--resume", "run.h5", "--max-steps", "1000000") for _ in range(6)]
        deadline = time.monotonic() + 120
        while sum(process.poll() is None for process in many) > 1:  # until all but the one are refused
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        (one,) = [process for process in many if process.poll() is None]
        while (self.directory / "run.h5").stat().st_ino == before:  # until it trains, and has said so in the file
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        one.send_signal(signal.SIGTERM)
        for process in many:
            error = process.communicate(timeout=120)[1]
            if process is one:
                self.assertEqual(process.returncode, 130, error)
            else:
                self.assertEqual(process.returncode, 2, error)
                self.assertEqual(error, "error: --output run.h5: cannot be locked: another process is writing it\n")
        steps = contents(self.directory / "run.h5", without=())["execution/processes/steps"]
        self.assertEqual(steps[1], (2,))  # the first process and one more
        self.check_endless_goes_on()

    def test_signals(self):
        for numbers in ((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)):
            with self.subTest(numbers):
                process = self.begin(*ENDLESS, "--force")
                self.wait_for(self.directory / "run.h5")
                for number in numbers:
                    process.send_signal(number)
                    time.sleep(0.001)
                errors = process.communicate(timeout=120)[1]
                self.assertEqual(process.returncode, 130, errors)
                self.assertIn("stopping after the current step", errors)
                self.check_endless_goes_on()
                (self.directory / "run.h5").unlink()

    def test_wall_limit(self):
        self.train(*ENDLESS, "--max-wall", "0.3", expect=5)
        self.check_endless_goes_on()


if __name__ == "__main__":
    unittest.main()
