"""--device auto, on machines with a card and without."""

import unittest

import h5py

from gihflow_testing import DirectoryTest, contents, run

# So many stages that it may be worth to start a card: of each some 300 gradients are expected, and it takes few.
LONG = ("--chains", "4000", "--validation-chains", "10", "--outputs", "2", "--stages", ",".join(50 * ["c:1e-3", "a:1e-3"]))


class Device(DirectoryTest):
    def train(self, *options):
        return run("gihflow", "train", *options, cwd=self.directory).stderr

    def devices(self, name="run.h5"):
        """What the config says, and what computed."""
        with h5py.File(self.directory / name) as file:
            config = [line for line in file.attrs["config"].splitlines() if line.startswith("device")]
            return config, file["execution"].attrs["device"]

    def test_few_gradients_are_computed_on_the_cpu(self):
        self.assertEqual(self.train("--chains", "20", "--stages", "c:1"), "")
        self.assertEqual(self.devices(), (['device = "cpu"'], "cpu"))

    def test_the_reference_runs_on_the_cpu_and_its_file_says_so(self):
        self.train("--chains", "5", "--validation-chains", "0", "--length", "20", "--outputs", "2", "--engine", "reference",
                   "--stages", "c:1")
        self.assertEqual(self.devices(), (['device = "cpu"'], "cpu"))
        self.train("--config", "run.h5", "-o", "again.h5")
        self.assertEqual(contents(self.directory / "again.h5"), contents(self.directory / "run.h5"))

    def test_auto_is_recorded_and_told(self):
        note = self.train(*LONG)
        config, computed = self.devices()
        if ", card " in run("gihflow", "--version").stdout:
            self.assertRegex(note, r"^note: --device auto is (cpu|cuda): a gradient takes about \S+ m?s on .+ and \S+ m?s on the CPU\n$")
            chosen = note.split()[4].rstrip(":")
        else:
            self.assertEqual(note, "")
            chosen = "cpu"
        self.assertEqual(config, [f'device = "{chosen}"'])
        self.assertEqual(computed.split(",")[0], chosen)
        self.train("--config", "run.h5", "-o", "again.h5")
        self.assertEqual(contents(self.directory / "again.h5"), contents(self.directory / "run.h5"))

    def test_a_run_goes_on_where_it_began(self):
        run("gihflow", "train", *LONG, "--max-steps", "20", expect=5, cwd=self.directory)
        before = self.devices()
        self.train("--resume", "run.h5", "--device", "auto", "--max-steps", "1000000")
        self.assertEqual(self.devices(), before)


if __name__ == "__main__":
    unittest.main()
