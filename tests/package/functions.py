"""The functions of the package: the numbers of the program bit for bit, its options, its refusals."""

import inspect
import json
import re
import threading
import warnings
from pathlib import Path

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
        self.assertEqual((theirs["gap"], theirs["gap_standard_error"], theirs["gap_z"]),
                         (ours.gap, ours.gap_standard_error, ours.gap_z))
        self.assertEqual([(s["place"], s["place_by_chi_square"]) for s in theirs["sets"]],
                         list(zip(ours.place, ours.place_by_chi_square)))
        self.assertEqual((tuple(theirs["selected"]), theirs["critical_logit"]), (ours.selected, ours.critical_logit))
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

    def test_what_a_ranking_says(self):
        found = gihflow.rank(chains=500, alpha=2, progress=False)
        best, second = found.order[:2]
        self.assertEqual((found.information_set, found.runner_up), (found.sets[best], found.sets[second]))
        self.assertAlmostEqual(found.gap, found.modified[best] - found.modified[second], delta=1e-15)
        self.assertAlmostEqual(found.gap_z, found.gap / found.gap_standard_error)
        np.testing.assert_array_equal(found.place[found.order], np.arange(1, 8))
        for s, members in enumerate(found.sets):
            share = 3 ** len(members) * found.modified[s] / found.chi_square[s] if members else np.nan
            np.testing.assert_allclose(found.uniformity[s], share, rtol=1e-14)
            self.assertEqual(found.place_by_chi_square[s], 1 + np.sum(found.chi_square > found.chi_square[s]))
        # A lag beyond all parents tells nothing more: both sets share a place.
        first_order = gihflow.rank(parents=[1], chains=50, progress=False)
        self.assertEqual(*(first_order.place_by_chi_square[first_order.sets.index(members)] for members in ((1,), (1, 2))))
        doubly = gihflow.rank(prior="doubly-stochastic", parents=[1], chains=20, progress=False)
        self.assertAlmostEqual(doubly.uniformity[doubly.sets.index((1,))], 1, delta=1e-9)
        # The table of the program has the same.
        printed = run("gihflow", "rank", "--chains", "500", "--alpha", "2", "--quiet").stdout
        line = re.search(r"orders differ +(.*)", printed)[1]
        self.assertEqual(line, "; ".join(
            f"{{{','.join(map(str, s))}}} is no. {found.place[k]} by modified and no. {found.place_by_chi_square[k]} by standard"
            for s in found.lags_in_other_places() for k in [found.sets.index(s)]) or "none")
        self.assertIn(f"z = {found.gap_z:.6g} ", printed)
        alone = gihflow.rank(degree=0, chains=5, progress=False)
        self.assertEqual((alone.information_set, alone.runner_up), ((), None))

    def test_a_run_computed_again(self):
        path = self.directory / "run.h5"
        trained = gihflow.train(output=path, **SMALL)
        memory, disk = (gihflow.audit(given, all=True, progress=False) for given in (trained, path))
        self.assertTrue(memory.passed)
        self.assertEqual((memory.stretches, memory.audits), (disk.stretches, disk.audits))
        self.assertEqual(sum(a.outputs for a in disk.audits), sum(len(stage.t) for stage in trained.stages))
        theirs = json.loads(run("gihflow", "audit", path, "--all", "--json", "--quiet").stdout)
        self.assertEqual([(a["begin"], a["end"], a["steps"]) for a in theirs["audited"]],
                         [(a.begin, a.end, a.steps) for a in disk.audits])
        # A run with numbers of another tolerance, and the config and hash of this one.
        forged = self.directory / "forged.h5"
        gihflow.train(output=forged, rtol=2e-6, **SMALL)
        with h5py.File(path) as mine, h5py.File(forged, "r+") as file:
            file.attrs["config"] = mine.attrs["config"]
        found = gihflow.audit(forged, all=True, progress=False)
        different = [quantity for audit in found.audits for quantity in audit.quantities if quantity.different]
        self.assertFalse(found.passed)
        self.assertTrue(all(0 < q.different <= q.entries and q.ulp > 0 for q in different))
        (first,) = gihflow.audit(forged, stage=1, from_=0, progress=False).audits
        self.assertEqual(first, found.audits[0])
        self.assertIn("loss", [q.name for q in different])
        self.assertEqual(refusals(gihflow.audit, path, from_=1), ["from_ 1: must be beside stage"])

    def test_a_page(self):
        path = self.directory / "run.h5"
        trained = gihflow.train(output=path, **SMALL)
        run("gihflow", "report", path, "-o", self.directory / "theirs.html", "--quiet")
        page = gihflow.report(path, output=self.directory / "ours.html", progress=False)
        expected = (self.directory / "theirs.html").read_bytes()
        self.assertEqual(page.html.encode(), expected)
        self.assertEqual((self.directory / "ours.html").read_bytes(), expected)
        self.assertEqual(gihflow.report(trained, progress=False).html.encode(), expected)
        self.assertTrue(page._repr_html_().startswith('<iframe srcdoc="&lt;!doctype html&gt;'))
        two = gihflow.report(gihflow.train(**SMALL, seed=2), path, progress=False)
        self.assertIn('"name":"run 1"', two.html)
        (line,) = refusals(gihflow.report, path, output=self.directory / "ours.html")
        self.assertIn("force", line)
        self.assertEqual(len(refusals(gihflow.report, "none.h5", "neither.h5")), 2)
        with self.assertRaises(TypeError):
            gihflow.report()
        table = self.directory / "table.h5"
        run("gihflow", "train", *WORDS, "--replicas", "2", "-o", table, "--quiet")
        run("gihflow", "report", table, "-o", self.directory / "table.html", "--quiet")
        self.assertEqual(gihflow.report(table, progress=False).html, (self.directory / "table.html").read_text())

    def test_compare(self):
        found = gihflow.compare(chains=100, length=20, stages="c:20", learning_rates=[1, 0.5], outputs=5, progress=False)
        (stage,) = found.stages
        self.assertEqual([rate["learning_rate"] for rate in stage["rates"]], [1.0, 0.5])
        self.assertLess(stage["rates"][1]["to_flow"]["all"][-1], stage["rates"][0]["to_flow"]["all"][-1])
        self.assertIn("distance", repr(found))

    def test_where_files_differ(self):
        a, b = self.directory / "a.h5", self.directory / "b.h5"
        run_a = gihflow.train(output=a, **SMALL)
        run_b = gihflow.train(output=b, seed=2, **SMALL)
        self.assertTrue(gihflow.diff(a, run_a).equal)
        found = gihflow.diff(run_a, b)
        theirs = json.loads(run("gihflow", "diff", a, b, "--json", expect=1).stdout)
        self.assertEqual((found.equal, [d.name for d in found.datasets]), (False, [d["name"] for d in theirs["datasets"]]))
        self.assertEqual([(d.different, d.absolute, d.ulp) for d in found.datasets],
                         [(d["different"], d["absolute"], d["ulp"]) for d in theirs["datasets"]])
        self.assertEqual(found.first_output, tuple(theirs["first"].values()))
        self.assertEqual(found.config, tuple((w["name"], w["a"], w["b"]) for w in theirs["config"]))
        (loss,) = [d for d in found.datasets if d.name == "/stage_2/loss"]
        self.assertEqual(loss.absolute, np.abs(run_a.stages[1].loss - run_b.stages[1].loss).max())
        self.assertIn("/stage_2/loss", repr(found))
        with self.assertRaisesRegex(ValueError, "none.h5: no such file"):
            gihflow.diff("none.h5", a)
        with self.assertRaisesRegex(ValueError, "in memory alone"):
            gihflow.diff(gihflow.train(**SMALL), a)

    def test_replicas(self):
        """The bands of the program's file of many runs, and the runs."""
        from gihflow.ensemble import read_ensembles

        run("gihflow", "train", *WORDS, "--seed", "5", "--replicas", "3", "-o", self.directory / "r.h5", "--quiet")
        (theirs,) = read_ensembles(self.directory / "r.h5")
        ours = gihflow.train_replicas(3, seed=5, **SMALL)
        np.testing.assert_array_equal(ours.levels, theirs.levels)
        self.assertEqual((ours.subsets, len(ours.stages)), (theirs.subsets, len(theirs.stages)))
        for mine, other in zip(ours.stages, theirs.stages):
            self.assertEqual((mine.number, mine.trained, mine.duration), (other.number, other.trained, other.duration))
            self.assertEqual((mine.t.tobytes(), mine.replicas.tolist()), (other.t.tobytes(), other.replicas.tolist()))
            for name in ("mean", "deviation", "quantiles"):
                self.assertEqual({key: values.tobytes() for key, values in getattr(mine, name).items()},
                                 {key: values.tobytes() for key, values in getattr(other, name).items()}, name)
        self.assertEqual([r.attributes["seed"] for r in ours.runs], [5, 6, 7])
        self.assertEqual(ours.runs[1].final["w"].tobytes(), gihflow.train(seed=6, **SMALL).final["w"].tobytes())
        self.assertIn("Ensemble of gihflow: 3 runs, in memory", repr(ours))
        with self.assertRaisesRegex(TypeError, "'output'"):
            gihflow.train_replicas(2, output="x.h5", **SMALL)
        for line in (refusals(gihflow.train_replicas, 0), refusals(gihflow.train_replicas, 2, alpha=0)):
            self.assertRegex(line[0], "^(replicas|alpha) 0: must be ")

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
        for command in ("train", "rank", "predict", "verify", "compare", "sample", "evaluate", "check", "audit", "report"):
            words = set(re.findall(r"^  (?:-\w, )?--([\w-]+)", run("gihflow", command, "--help").stdout, re.MULTILINE))
            names = {name.rstrip("_").replace("_", "-") for name in inspect.signature(getattr(gihflow, command)).parameters}
            self.assertEqual(names - own - {"run", "runs"}, words - program_alone, command)

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

    def test_arguments_that_are_no_paths(self):
        a_run = "must be a Run or the path of its file"
        for said, function, options in (("config 5: must be a path", gihflow.train, {"config": 5}),
                                        ("config 5: must be a path", gihflow.Objective, {"config": 5}),
                                        (f"run 5: {a_run}", gihflow.check, {"run": 5}),
                                        (f"run None: {a_run}", gihflow.audit, {"run": None}),
                                        (f"b 2: {a_run}", gihflow.diff, {"a": "one.h5", "b": 2})):
            with self.assertRaises(TypeError) as raised:
                function(**options)
            self.assertEqual(str(raised.exception), said)
        with self.assertRaisesRegex(TypeError, f"run 5: {a_run}"):
            gihflow.report(5)

    def test_types_that_no_option_has(self):
        for options, said in (({"chains": {}}, "chains {}: must be an integer"), ({"alpha": 1j}, "alpha 1j: must be a number"),
                              ({"stages": ["c:1", 3]}, "stages ['c:1', 3]: must be texts"),
                              ({"parents": [1, None]}, "parents [1, None]: must be integers"),
                              ({"output": 5}, "output 5: must be a text"),
                              ({"boundary": b"x"}, "boundary b'x': must be masked or partial"),
                              ({"parameters": 5}, "parameters 5: must be a run or the path of a file"),
                              ({"kernels": [["x"]]}, "kernels [['x']]: must be an array of numbers"),
                              ({"data": -np.ones((2, 9), int)}, "data -1: must be tokens of at least 0")):
            self.assertEqual(refusals(gihflow.train, **options), [said])
        self.assertFalse(Path("5").exists())

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

    def test_a_run_on_kernels_in_memory(self):
        """Checked, computed again and shown without a file of its kernels."""
        kernels = np.random.default_rng(2).dirichlet(np.full(3, 0.1), size=(200, 9))
        path, same = self.directory / "kernels.h5", self.directory / "run.h5"
        with h5py.File(path, "w") as file:
            file["kernels"] = kernels
            file.attrs["parents"] = [1, 2]
        options = {**SMALL, "validation_chains": 0}
        del options["chains"]
        trained = gihflow.train(kernels=kernels, output=same, **options)
        gihflow.train(kernels=path, output=self.directory / "theirs.h5", **options)
        theirs = gihflow.check(self.directory / "theirs.h5", fresh_chains=50, progress=False)
        for found in (gihflow.check(trained, fresh_chains=50, progress=False),
                      gihflow.check(same, kernels=kernels, fresh_chains=50, progress=False)):
            self.assertEqual(found.points, theirs.points)
        self.assertTrue(gihflow.audit(trained, progress=False).passed)
        self.assertTrue(gihflow.audit(same, kernels=kernels, progress=False).passed)
        for page in (gihflow.report(trained, progress=False), gihflow.report(same, kernels=kernels, progress=False)):
            self.assertNotIn('"reason"', page.html)
        (line,) = refusals(gihflow.check, trained, kernels=kernels[:, ::-1].copy())
        self.assertRegex(line, "an array: chains drawn from its kernels have the hash .*: must be .*, that of the chains of the run")
        self.assertIn("must be left out, since the run has no given kernels",
                      refusals(gihflow.check, gihflow.train(**SMALL), kernels=kernels)[0])
        data = gihflow.sample(chains=100, length=30, progress=False)
        given = gihflow.train(data=data, **{k: v for k, v in options.items() if k != "length"})
        self.assertTrue(gihflow.audit(given, progress=False).passed)
        self.assertIn('"truth":', gihflow.report(given, progress=False).html)

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
