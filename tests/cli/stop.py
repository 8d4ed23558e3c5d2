"""How a run ends before its end: signals, limits, full disks, a second writer; and what a terminal sees of it."""

import json
import os
import pty
import resource
import select
import signal
import subprocess
import time
import unittest

import h5py

from gihflow_testing import PROGRAM, DirectoryTest, run

# Long enough that a signal comes in time: the reference engine is slow.
LONG = ("--chains", "30", "--validation-chains", "0", "--length", "100", "--engine", "reference", "--stages",
        "w:1000000,a:1000000")


class Stop(DirectoryTest):
    def start(self, *options, **keywords):
        return subprocess.Popen([str(PROGRAM), "train", *options], cwd=self.directory, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **keywords)

    def wait_for_file(self, name="run.h5"):
        deadline = time.monotonic() + 60
        while not (self.directory / name).exists():
            self.assertLess(time.monotonic(), deadline, "no run file")
            time.sleep(0.01)

    def files(self):
        return sorted(path.name for path in self.directory.iterdir())

    def outcome(self):
        return json.loads(run("gihflow", "show", "run.h5", "--json", cwd=self.directory).stdout)["outcome"]

    def test_signals_end_with_a_checkpoint(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
            with self.subTest(number):
                process = self.start(*LONG, "--force")
                self.wait_for_file()
                time.sleep(0.2)
                process.send_signal(number)
                output, errors = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 130, errors)
                self.assertIn("stopping after the current step", errors)
                self.assertIn("interrupted", output)
                self.assertEqual(self.files(), ["run.h5"])
                self.assertEqual(self.outcome(), "interrupted")
                (self.directory / "run.h5").unlink()

    def test_closed_streams_do_not_become_files(self):
        """A run file or its temporary must not be where messages go, and a result that cannot be printed is an error."""
        closed = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', str(PROGRAM), "train", *LONG], cwd=self.directory)
        self.addCleanup(closed.kill)
        self.wait_for_file()
        streams = [os.readlink(f"/proc/{closed.pid}/fd/{stream}") for stream in range(3)]
        closed.send_signal(signal.SIGINT)
        self.assertEqual(closed.wait(timeout=120), 4)
        self.assertEqual(streams, 3 * ["/dev/null"])
        self.assertEqual(self.outcome(), "interrupted")
        self.assertEqual(self.files(), ["run.h5"])
        for options, code in ((("--version",), 4), (("train", "--chains", "-1"), 2)):
            done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', str(PROGRAM), *options], cwd=self.directory)
            self.assertEqual(done.returncode, code, options)

    def test_an_inherited_ignore_stays(self):
        process = self.start(*LONG, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for_file()
        process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, errors)

    def test_a_second_signal_ends_at_once_and_leaves_the_file_whole(self):
        process = self.start(*LONG)
        self.wait_for_file()
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn(self.outcome(), ("running", "interrupted"))

    def test_a_kill_leaves_the_last_checkpoint_and_blocks_nobody(self):
        process = self.start(*LONG)
        self.wait_for_file()
        process.kill()
        process.communicate(timeout=60)
        self.assertEqual(self.outcome(), "running")
        run("gihflow", "train", "--chains", "20", "--stages", "c:1", "--force", cwd=self.directory)
        self.assertEqual(self.outcome(), "reached")
        self.assertEqual(self.files(), ["run.h5"])

    def test_two_writers(self):
        process = self.start(*LONG)
        self.wait_for_file()
        done = run("gihflow", "train", "--chains", "20", "--stages", "c:1", "--force", expect=2, cwd=self.directory)
        self.assertEqual(done.stderr, "error: --output run.h5: cannot be locked: another process is writing it\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    def test_readers_are_welcome(self):
        process = self.start(*LONG, "--checkpoint-every", "0")
        self.wait_for_file()
        for _ in range(20):
            with h5py.File(self.directory / "run.h5") as file:
                self.assertEqual(file.attrs["outcome"], "running")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    def test_max_wall(self):
        began = time.monotonic()
        done = run("gihflow", "train", *LONG, "--max-wall", "0.2", expect=5, cwd=self.directory)
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("--max-wall was reached", done.stdout)
        self.assertEqual(self.outcome(), "wall_time")

    def test_max_steps(self):
        done = run("gihflow", "train", "--chains", "50", "--max-steps", "30", expect=5, cwd=self.directory)
        self.assertIn("--max-steps was reached", done.stdout)
        with h5py.File(self.directory / "run.h5") as file:
            stages = [file[name] for name in file if name.startswith("stage_")]
            self.assertEqual(sum(s.attrs["accepted_steps"] + s.attrs["rejected_steps"] for s in stages), 30)
            self.assertIn("max-steps = 30\n", file.attrs["config"])

    def test_full_disk(self):
        small = ("gihflow", "train", "--chains", "20", "--stages", "c:1,a:1")
        run(*small, cwd=self.directory)
        before = (self.directory / "run.h5").read_bytes()

        def limit():  # no HDF5 file is so small
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

        done = run(*small, "--seed", "2", "--force", expect=4, cwd=self.directory, preexec_fn=limit)
        self.assertIn("could not be written", done.stderr)
        self.assertEqual((self.directory / "run.h5").read_bytes(), before)
        self.assertEqual(self.files(), ["run.h5"])
        done = run("gihflow", "sample", "-o", "d.h5", expect=4, cwd=self.directory, preexec_fn=limit)
        self.assertEqual(self.files(), ["run.h5"])

    def test_results_that_cannot_be_printed(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(PROGRAM), "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("could not be printed", done.stderr)

    def test_messages_that_cannot_be_written_change_nothing(self):
        def code(*words, stdout=subprocess.DEVNULL):
            with open("/dev/full", "w") as full:
                return subprocess.run([str(PROGRAM), *words], cwd=self.directory, stderr=full,
                                      stdout=full if stdout is None else stdout).returncode

        small = ("--chains", "20", "--validation-chains", "0", "--stages", "c:1", "--force")
        self.assertEqual(code("--version", stdout=None), 4)
        self.assertEqual(code(), 2)
        self.assertEqual(code("train", "--alpha", "x"), 2)
        self.assertEqual(code("evaluate", "--readout", "softmax", "--epsilon", "0.1", *small[:2]), 0)  # has a note
        self.assertEqual(code("train", *small), 0)
        self.assertEqual(code("train", *small, stdout=None), 4)
        self.assertEqual(self.outcome(), "reached")
        for words in (("show", "run.h5"), ("diff", "run.h5", "run.h5"), ("audit", "run.h5"),
                      ("check", "run.h5", "--fresh-chains", "5"), ("rank", "--chains", "5"), ("predict", "--chains", "5"),
                      ("evaluate", "--chains", "5"), ("sample", "--chains", "5", "--dry-run")):
            with self.subTest(words):
                self.assertEqual(code(*words, stdout=None), 4)

    def test_a_reader_that_went_away_is_a_write_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            done = subprocess.run([str(PROGRAM), "--help"], stdout=pipe, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("could not be printed", done.stderr)

    def test_a_terminal_that_goes_away_does_not_end_a_run(self):
        leader, follower = pty.openpty()
        process = subprocess.Popen([str(PROGRAM), "train", "--chains", "30", "--validation-chains", "0", "--engine",
                                    "reference", "--stages", "c:50,a:20"], cwd=self.directory,
                                   stdout=subprocess.DEVNULL, stderr=follower, env={**os.environ, "TERM": "xterm"})
        os.close(follower)
        os.read(leader, 1)
        os.close(leader)
        self.assertEqual(process.wait(timeout=300), 0)
        self.assertEqual(self.outcome(), "reached")

    def on_terminal(self, *options, **environment):
        """What a terminal of 100 columns sees on stderr."""
        leader, follower = pty.openpty()
        subprocess.run(["stty", "columns", "100"], stdin=follower, check=False)
        process = subprocess.Popen([str(PROGRAM), "train", *options], cwd=self.directory, stdout=subprocess.DEVNULL,
                                   stderr=follower, env={**os.environ, "TERM": "xterm", **environment})
        os.close(follower)
        seen = b""
        while True:
            ready, _, _ = select.select([leader], [], [], 60)
            try:
                part = os.read(leader, 4096) if ready else b""
            except OSError:  # the other end was closed
                part = b""
            if not part:
                break
            seen += part
        process.wait(timeout=60)
        os.close(leader)
        return seen.decode()

    def test_a_terminal_is_told_where_to_read(self):
        hint = "gihflow train --help says what the options of train may be, man gihflow-train more\r\n"
        self.assertEqual(self.on_terminal("--alpha", "0"), f"error: --alpha 0: must be a finite number above 0\r\n{hint}")
        self.assertEqual(self.on_terminal("--resume", "none.h5"), "error: none.h5: no such file\r\n")

    def test_progress_is_for_terminals(self):
        # On the CPU: the memory that a card's driver takes is no matter of MiB.
        options = ("--chains", "12", "--validation-chains", "0", "--engine", "reference", "--device", "cpu", "--stages",
                   "c:50,a:20", "--outputs", "8", "--force")
        seen = self.on_terminal(*options)
        for word in ("stage 1/2 [", "loss", "p{", " a "):
            self.assertIn(word, seen)
        for line in seen.replace("\x1b[K", "").split("\r"):
            self.assertLess(len(line), 100)
        self.assertTrue(seen.endswith("\r\x1b[K"))  # and leaves nothing behind
        cost = r"up to [0-9.]+ [KM]iB of memory, about [0-9.]+ m?s\r\n"  # said before the work begins
        self.assertRegex(seen, "^" + cost)
        self.assertRegex(self.on_terminal(*options, NO_COLOR="1"), f"^{cost}$")
        self.assertRegex(self.on_terminal(*options, TERM="dumb"), f"^{cost}$")
        self.assertEqual(self.on_terminal(*options, "--quiet"), "")
        self.assertEqual(run("gihflow", "train", *options, cwd=self.directory).stderr, "")


if __name__ == "__main__":
    unittest.main()
