"""Ctrl-C in every part of every long call: an end soon, a KeyboardInterrupt with what there is, files that resume."""

import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest
from unittest import mock

import numpy as np
from gihflow_testing import DirectoryTest, contents

import gihflow
from gihflow import commands
from gihflow.progress import Listener

LONG = dict(chains=3000, length=200, stages="c:2000,w:50000,a:5000", progress=False)


class Signals(DirectoryTest):
    """Each call in a process of its own, which is sent a SIGINT as soon as a part of the work has begun."""

    def interrupted(self, call, part, after=0.0):
        """What a process prints that makes a call and is interrupted once, in a part of it or, with "", from its begin."""
        source = textwrap.dedent(f"""
            import os, signal, sys, threading, time
            import gihflow
            from gihflow import progress

            def send():
                time.sleep({after})
                os.kill(os.getpid(), signal.SIGINT)

            class Listener(progress.Listener):
                def phase(self, name):
                    if name == {part!r} and not getattr(self, "sent", False):
                        self.sent = True
                        threading.Thread(target=send, daemon=True).start()

            progress.Listener = Listener
            import gihflow.commands, gihflow.objective
            gihflow.commands.Listener = gihflow.objective.Listener = Listener
            if {part!r} == "":
                threading.Thread(target=send, daemon=True).start()
            begun = time.monotonic()
            try:
                {call}
                print("completed")
            except KeyboardInterrupt as raised:
                print("interrupted", type(getattr(raised, "result", None)).__name__,
                      getattr(getattr(raised, "result", None), "outcome", ""))
        """)
        done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, cwd=self.directory,
                              timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.split()

    def test_training(self):
        # So exact that the fastest machine is at work when the signal comes.
        long = {**LONG, "chains": 60000, "integrator": "dopri5", "rtol": 1e-11}
        options = ", ".join(f"{name}={value!r}" for name, value in long.items())
        said = self.interrupted(f"gihflow.train(output='run.h5', checkpoint_every=1000, {options})", "training", 0.1)
        self.assertEqual(said, ["interrupted", "Run", "interrupted"])
        path = self.directory / "run.h5"
        part = gihflow.read(path)
        self.assertEqual(part.outcome, "interrupted")
        rest = part.resume(progress=False)
        whole = self.directory / "whole.h5"
        gihflow.train(output=whole, **long)
        self.assertEqual(rest.outcome, "reached")
        self.assertEqual(contents(path), contents(whole))

    def test_baselines(self):
        # So many chains that the fastest machine is at work when the signal comes.
        long = {**LONG, "chains": 400000, "stages": "c:1"}
        options = ", ".join(f"{name}={value!r}" for name, value in long.items())
        said = self.interrupted(f"gihflow.train(output='run.h5', {options})", "baselines and standard errors")
        self.assertIn(said, (["interrupted", "Run", "reached"],))
        self.assertIsNotNone(gihflow.train(resume=self.directory / "run.h5", progress=False).training_baselines)

    def test_drawing(self):
        said = self.interrupted("gihflow.train(chains=100000, length=5000, output='run.h5', progress=False)", "drawing chains")
        self.assertEqual(said, ["interrupted", "NoneType"])
        self.assertFalse((self.directory / "run.h5").exists())
        said = self.interrupted("gihflow.Objective(chains=100000, length=5000)", "drawing chains")
        self.assertEqual(said, ["interrupted", "NoneType"])

    def test_the_other_functions(self):
        for call in ("rank(chains=1000000, progress=False)", "sample(chains=100000, length=5000, progress=False)",
                     "evaluate(chains=100000, length=5000, progress=False)", "predict(chains=100000, length=5000, progress=False)",
                     "compare(chains=100000, length=5000, progress=False)", "verify(progress=False)",
                     "train_replicas(10000, chains=100, stages='c:200', progress=False)"):
            with self.subTest(call):
                begun = time.monotonic()
                # After a small share of what the call takes, so that the fastest machine is at work when the signal comes.
                said = self.interrupted(f"gihflow.{call}", "", 0.1)
                self.assertEqual(said[0], "interrupted")
                self.assertLess(time.monotonic() - begun, 30)

    def test_checking(self):
        gihflow.train(chains=50, length=20, stages="c:1", outputs=3, output=self.directory / "run.h5", progress=False)
        said = self.interrupted("gihflow.check('run.h5', fresh_chains=100000, lengths=[1000], progress=False)", "", 0.5)
        self.assertEqual(said[0], "interrupted")

    def test_a_page(self):
        """The predictions for many chains of low rank take seconds, the check of a run of long sequences too."""
        for part, run in (("predictions for run.h5", {"chains": 9000, "prior": "low-rank:1"}),
                          ("check of run.h5", {"chains": 5, "length": 200000, "vocabulary": 8})):
            gihflow.train(validation_chains=0, stages="c:1", outputs=3, output=self.directory / "run.h5", force=True,
                          progress=False, **run)
            said = self.interrupted("gihflow.report('run.h5', output='run.html', progress=False)", part)
            self.assertEqual(said, ["interrupted", "NoneType"])
            self.assertFalse((self.directory / "run.html").exists())

    def test_computing_again(self):
        gihflow.train(chains=30000, length=10000, validation_chains=0, stages="c:1", outputs=3,
                      output=self.directory / "run.h5", progress=False)
        said = self.interrupted("gihflow.audit('run.h5', all=True, progress=False)", "", 0.1)
        self.assertEqual(said[0], "interrupted")


class InProcess(unittest.TestCase):
    def test_a_run_in_memory_goes_on(self):
        """A handler of one's own that raises what it likes ends the call, which carries the run so far."""

        class Enough(Exception):
            pass

        def handler(number, frame):
            raise Enough

        class Alarm(Listener):
            """Sets the alarm when the training begins, so that no machine is too slow or too fast for it."""

            def phase(self, name):
                if name == "training":
                    signal.setitimer(signal.ITIMER_REAL, 0.02)

        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        options = dict(LONG, chains=60000, integrator="dopri5", rtol=1e-11)
        with mock.patch.object(commands, "Listener", Alarm), self.assertRaises(Enough) as raised:
            gihflow.train(**options)
        run = raised.exception.result
        self.assertEqual(run.outcome, "interrupted")
        rest = run.resume(progress=False)
        whole = gihflow.train(**options)
        self.assertEqual(rest.final["w"].tobytes(), whole.final["w"].tobytes())
        self.assertEqual(len(rest.execution["processes"]), 2)
        self.assertEqual((rest.outcome, whole.outcome), ("reached", "reached"))

    def test_others_run_meanwhile(self):
        """The interpreter's lock is free while a call works."""
        count = [0]
        over = threading.Event()

        def tick():
            while not over.is_set():
                count[0] += 1
                time.sleep(0.001)

        ticking = threading.Thread(target=tick)
        ticking.start()
        gihflow.train(chains=2000, stages="c:2000,w:50000", progress=False)
        over.set()
        ticking.join()
        self.assertGreater(count[0], 20)

    def test_progress_is_told(self):
        told = []

        class Recording(Listener):
            def phase(self, name):
                told.append(name)

            def progress(self, done, *rest):
                told.append(done)

        with mock.patch.object(commands, "Listener", Recording):
            gihflow.train(chains=9000, rtol=1e-9, atol=1e-12, progress=False)
        shares = [entry for entry in told if isinstance(entry, float)]
        self.assertTrue(shares, told)
        self.assertTrue(np.all(np.diff(shares) >= 0) and 0 <= shares[0] and shares[-1] <= 1)
        self.assertIn("baselines and standard errors", told)
