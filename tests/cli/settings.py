"""Each setting of experiments/settings runs from its config at a small size, names its source, and does what it says."""

import json
import re
import tomllib

from gihflow_testing import SOURCE, DirectoryTest, run

SETTINGS = {path.stem: path for path in sorted((SOURCE / "experiments" / "settings").glob("*.toml"))}
# What makes every run short; options of a config that stay, stay.
SMALL = {"chains": "60", "validation-chains": "20", "length": "40", "outputs": "4"}


class Settings(DirectoryTest):
    def train(self, name, **other):
        config = tomllib.loads(SETTINGS[name].read_text())
        stages = config.get("stages", ["c:2000", "w:50000", "a:5000"])
        options = SMALL | {"stages": ",".join(f"{stage.split(':')[0]}:2" for stage in stages)}
        if config.get("method") == "gd":
            options["learning-rate"] = "1,2,1" if isinstance(config.get("learning-rate"), list) else "0.5"
            options |= {name: small for name, small in (("warm-up", "1"), ("batch", "16")) if name in config}
        options |= {key.replace("_", "-"): value for key, value in other.items()}
        words = [f"--{key}={value}" for key, value in options.items()]
        done = run("gihflow", "train", "--config", SETTINGS[name], *words, "--json", "-o", f"{name}.h5", "--force",
                   cwd=self.directory)
        return json.loads(done.stdout)

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(SETTINGS), 12)

    def test_each_runs_and_learns_nothing_wrong(self):
        for name in SETTINGS:
            with self.subTest(name):
                found = self.train(name)
                self.assertEqual(found["outcome"], "reached")
                lines, accuracy = found["baselines"]["training"], found["accuracy"]
                loss = found["stages"][-1]["loss"]
                self.assertLess(loss, found["stages"][0]["loss"] + 10.0)
                for kind in ("training", "validation"):
                    self.assertTrue(0.0 <= accuracy[kind] <= 1.0)
                    self.assertGreater(accuracy[f"{kind}_standard_error"], 0.0)
                # No predictor is right more often than the law behind the labels, but for noise.
                for predictor in ("gih", "unigram", "bigram", "ngram"):
                    self.assertLessEqual(lines[f"{predictor}_accuracy"],
                                         lines["best_accuracy"] + 5.0 * lines[f"{predictor}_accuracy_standard_error"])
                    self.assertGreater(lines[f"{predictor}_loss"],
                                       lines["entropy_floor"] - 5.0 * lines[f"{predictor}_loss_standard_error"])

    def test_each_names_its_source_and_what_to_expect(self):
        for name, path in SETTINGS.items():
            with self.subTest(name):
                text = path.read_text()
                self.assertRegex(text, r"(?m)^# Source: \S")
                self.assertRegex(text, r"(?m)^# Expected: \S")
                for command in re.findall(r"(?m)^# (?:Then: )?gihflow (.*)$", text):
                    self.assertIn(f"{name}.", command)

    def test_a_doubly_stochastic_chain_tells_one_over_d_of_its_information(self):
        done = run("gihflow", "rank", "--config", SETTINGS["doubly_stochastic"], "--chains", "200", "--window", "3",
                   "--degree", "1", "--json")
        for lags in json.loads(done.stdout)["sets"]:
            if lags["parents"]:
                self.assertAlmostEqual(3.0 * lags["modified"] / lags["chi_square"], 1.0, delta=1e-12)

    def test_few_kernels_could_be_memorised_and_many_only_inferred(self):
        gains = []
        for kernels in (4, 512):
            found = self.train("memorise_or_infer", prior=f"mixture:{kernels}", length="12", chains="500")
            lines = found["baselines"]["training"]
            gains.append(lines["gih_loss"] - lines["posterior_loss"])
        self.assertGreater(gains[0], gains[1] + 0.05)

    def test_recall_is_as_good_as_the_law_says(self):
        self.train("recall", stages="cwa:200", length="200", chains="300")
        done = run("gihflow", "check", "recall.h5", "--lengths", "64,512", "--json", cwd=self.directory, expect=None)
        for point in json.loads(done.stdout)["results"]:
            self.assertIsNotNone(point["recall_accuracy"])
            self.assertIsNone(point["alpha"])
