"""The functions of the package: the numbers of the program bit for bit, its options, its refusals."""

import inspect
import json
import re
import threading
import warnings

import h5py
import numpy as np
from gihflow_testing import DirectoryTest, contents, run

import gihflow
from gihflow.progress import Remark

SMALL = dict(chains=300, validation_chains=50, length=30, stages="c:200,w:300,a:100", outputs=20, progress=False)
WORDS = [word for name, value in SMALL.items() if name != "progress"
         for word in (f"--{name.replace('_', '-')}", str(value))]


def refusals(function, *arguments, **options):
    """The lines of the ValueError that a call raises."""
    try:
        function(*arguments, progress=False, **options)
    except ValueError as error:
        return str(error).splitlines()
    raise AssertionError("nothing was refused")


class Bits(DirectoryTest):
    def test_a_run_is_that_of_the_program(self):
        theirs, ours, saved = (self.directory / name for name in ("theirs.h5", "ours.h5", "saved.h5"))
        run("gihflow", "train", *WORDS, "-o", theirs, "--quiet")
        trained = gihflow.train(output=ours, **SMALL)
        gihflow.train(**SMALL).save(saved)
        expected = contents(theirs)
        self.assertGreater(len(expected), 100)
        self.assertEqual(contents(ours), expected)
        self.assertEqual(contents(saved), expected)
        with h5py.File(theirs) as file:
            for stage in trained.stages:
                group = file[f"stage_{stage.number}"]
                self.assertEqual(set(stage.arrays), {name for name in group if isinstance(group[name], h5py.Dataset)})
                for name, array in stage.arrays.items():
                    self.assertEqual(array.tobytes(), group[name][()].tobytes(), name)
        read = gihflow.read(theirs)
        self.assertEqual(trained.subsets, read.subsets)
        self.assertEqual(trained.training_baselines, read.training_baselines)
        self.assertEqual(trained.validation_baselines, read.validation_baselines)
        self.assertEqual(trained.attributes, read.attributes)
        for name, value in read.standard_errors.items():
            np.testing.assert_array_equal(trained.standard_errors[name], value)
        for name, value in read.final.items():
            np.testing.assert_array_equal(trained.final[name], value)

    def test_other_functions_are_those_of_the_program(self):
        def printed(command, *words):
            return json.loads(run("gihflow", command, *words, "--json", "--quiet").stdout)

        theirs, ours = printed("rank", "--chains", "200", "--seed", "3"), gihflow.rank(chains=200, seed=3, progress=False)
        np.testing.assert_array_equal([row["modified"] for row in theirs["sets"]], ours.modified)
        self.assertEqual(tuple(theirs["information_set"]), ours.information_set)
        theirs, ours = printed("evaluate", "--chains", "200"), gihflow.evaluate(chains=200, progress=False)
        flat = [*theirs["gradient"]["c"], *sum(theirs["gradient"]["w"], []), theirs["gradient"]["a"]]
        self.assertEqual((theirs["loss"], flat), (ours.loss, ours.gradient.tolist()))
        theirs, ours = printed("predict", "--chains", "200"), gihflow.predict(chains=200, progress=False)
        for row, mine in zip(theirs["predictions"], ours, strict=True):
            self.assertEqual((row["name"], row["units"], row["subject"]), (mine.name, mine.units, mine.subject))
            if row["sharp"] is not None:
                self.assertEqual(row["sharp"], mine.sharp)
        gihflow.sample(chains=20, length=15, output=self.directory / "ours.h5", progress=False)
        run("gihflow", "sample", "--chains", "20", "--length", "15", "-o", self.directory / "theirs.h5", "--quiet")
        self.assertEqual(contents(self.directory / "ours.h5"), contents(self.directory / "theirs.h5"))

    def test_check_of_a_run_in_memory_and_on_disk(self):
        path = self.directory / "run.h5"
        trained = gihflow.train(output=path, **SMALL)
        a, b = (gihflow.check(given, fresh_chains=50, progress=False) for given in (trained, path))
        self.assertEqual(a.points, b.points)
        theirs = json.loads(run("gihflow", "check", path, "--fresh-chains", "50", "--json", "--quiet",
                                expect=0 if a.passed else 1).stdout)
        self.assertEqual([p["to_information_set"] for p in theirs["results"]], [p.to_information_set for p in a.points])

    def test_compare(self):
        found = gihflow.compare(chains=100, length=20, stages="c:20", learning_rates=[1, 0.5], outputs=5, progress=False)
        (stage,) = found.stages
        self.assertEqual([rate["learning_rate"] for rate in stage["rates"]], [1.0, 0.5])
        self.assertLess(stage["rates"][1]["to_flow"]["all"][-1], stage["rates"][0]["to_flow"]["all"][-1])
        self.assertIn("distance", repr(found))

    def test_four_threads_at_once(self):
        alone = [gihflow.train(seed=seed, **SMALL).final["w"].tobytes() for seed in range(4)]
        found = [None] * 4

        def work(seed):
            found[seed] = gihflow.train(seed=seed, threads=1, **SMALL).final["w"].tobytes()

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(found, alone)


class Options(DirectoryTest):
    def test_every_option_of_the_program_is_an_argument(self):
        own = {"config", "progress"}
        program_alone = {"help", "config", "json", "quiet", "dry-run", "replicas", "jobs"}  # the last two start processes
        for command in ("train", "rank", "predict", "verify", "compare", "sample", "evaluate", "check"):
            words = set(re.findall(r"^  (?:-\w, )?--([\w-]+)", run("gihflow", command, "--help").stdout, re.MULTILINE))
            names = {name.replace("_", "-") for name in inspect.signature(getattr(gihflow, command)).parameters}
            self.assertEqual(names - own - {"run"}, words - program_alone, command)

    def test_defaults_and_documentation(self):
        parameters = inspect.signature(gihflow.train).parameters
        self.assertEqual((parameters["alpha"].default, parameters["parents"].default, parameters["stages"].default),
                         (0.1, (1, 2), "c:2000,w:50000,a:5000"))
        self.assertIn("head_windows: Head h sees lags", gihflow.train.__doc__)
        self.assertNotRegex(gihflow.train.__doc__, "--[a-z]")

    def test_refusals_are_the_program_s_in_the_words_of_python(self):
        self.assertEqual(refusals(gihflow.train, alpha=0, head_windows="none", validation_chains=-1), [
            "alpha 0: must be a finite number above 0", "head_windows none: must be shared or shifted",
            "validation_chains -1: must be an integer of at least 0 and below 2^63"])
        self.assertEqual(refusals(gihflow.train, length=2), ["length 2: must exceed the widest lag, 3, with boundary masked"])
        self.assertEqual(refusals(gihflow.rank, chains="many"),
                         ["chains many: must be an integer of at least 1 and below 2^63"])
        path = self.directory / "there.h5"
        path.write_text("mine")
        (line,) = refusals(gihflow.train, output=path)
        self.assertIn("force", line)
        self.assertNotIn("--", line)
        self.assertEqual(path.read_text(), "mine")
        with self.assertRaisesRegex(TypeError, "'alhpa'; the nearest is alpha"):
            gihflow.train(alhpa=1)

    def test_values_of_any_type(self):
        one = gihflow.train(**SMALL, parents=np.array([1, 2]), seed=np.int64(3), alpha=np.float32(0.5))
        two = gihflow.train(**SMALL, parents="1,2", seed=3, alpha=0.5)
        self.assertEqual(one.attributes["tokens_hash"], two.attributes["tokens_hash"])
        stages = gihflow.train(**{**SMALL, "stages": ["c:20", "a:5"]}).stages
        self.assertEqual([stage.trained for stage in stages], ["c", "a"])

    def test_remarks_are_warnings(self):
        with self.assertWarnsRegex(Remark, "optimizer has no effect: the method is the flow"):
            gihflow.train(**SMALL, optimizer="adam")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Remark)
            with self.assertRaises(Remark):
                gihflow.train(**SMALL, optimizer="adam")

    def test_a_run_file_is_a_config(self):
        path = self.directory / "run.h5"
        first = gihflow.train(output=path, **SMALL)
        again = gihflow.train(config=path, progress=False)
        self.assertEqual(again.stages[-1].w.tobytes(), first.stages[-1].w.tobytes())


class Arrays(DirectoryTest):
    def test_sequences_in_memory(self):
        drawn = gihflow.sample(chains=300, length=30, purpose="train", progress=False)
        options = {**SMALL, "validation_chains": 0}
        expected = gihflow.train(**options)
        self.assertEqual(drawn.tokens_hash, expected.attributes["tokens_hash"])
        for given in (drawn, (drawn.tokens.astype(np.int64), drawn.targets), (drawn.tokens[:, :].copy("F"), drawn.targets)):
            del options["chains"], options["length"]
            found = gihflow.train(data=given, **options)
            self.assertEqual(found.stages[-1].w.tobytes(), expected.stages[-1].w.tobytes())
            options = {**SMALL, "validation_chains": 0}

    def test_kernels_in_memory(self):
        kernels = np.random.default_rng(1).dirichlet(np.ones(3), size=(40, 9))
        with h5py.File(self.directory / "kernels.h5", "w") as file:
            file["kernels"] = kernels
            file.attrs["parents"] = [1, 2]
        a = gihflow.rank(kernels=kernels, progress=False)
        b = gihflow.rank(kernels=self.directory / "kernels.h5", progress=False)
        self.assertEqual(a.modified.tobytes(), b.modified.tobytes())
        self.assertIn("kernels", refusals(gihflow.rank, kernels=2 * kernels)[0])

    def test_bad_arrays(self):
        tokens = np.zeros((4, 11), dtype=np.int32)
        tokens[2, 3] = -1
        (line,) = refusals(gihflow.train, data=tokens, vocabulary=3)
        self.assertIn("tokens", line)
        for bad in (np.zeros((4, 5)), np.zeros(7, dtype=int)):
            with self.assertRaisesRegex(ValueError, r"data .*: must be integers \[N, L\+1\]"):
                gihflow.train(data=bad)

    def test_a_run_as_the_start_of_another(self):
        first = gihflow.train(**SMALL)
        second = gihflow.train(**{**SMALL, "stages": "a:10"}, parameters=first)
        self.assertEqual(second.stages[0].a[0], first.final["a"])
