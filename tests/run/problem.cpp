#include "gihflow/run/problem.hpp"
#include "gihflow/population/device.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "support/command_lines.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"

using namespace gihflow;
using gihflow::testing::Directory;
using gihflow::testing::input_errors;

namespace {

using Values = std::map<std::string, std::string>;

template <class S = TrainSetting>
Problem prepared(const Values& values) {
  return prepare(testing::assembled<S>(values));
}

template <class S = TrainSetting>
std::vector<std::string> errors(const Values& values) {
  return input_errors([&] { prepared<S>(values); }, testing::as_options);
}

template <class S = TrainSetting>
std::string error(const Values& values) {
  const std::vector<std::string> all = errors<S>(values);
  REQUIRE(all.size() == 1);
  return all.front();
}

// Files that a problem may be made of.
struct Files {
  Directory directory;
  std::string data = directory / "data.h5";
  std::string bare = directory / "bare.h5";  // without targets and parents
  std::string kernels = directory / "kernels.h5";
  std::string parameters = directory / "parameters.h5";

  Files() {
    SamplingOptions sampling;
    sampling.prior.vocabulary = 2;
    sampling.prior.parents = {1, 3};
    sampling.length = 20;
    sampling.count = 4;
    Sequences sequences = collect(*sample_prior(sampling));
    sequences.parents = {1, 3};
    write<Sequences>(data, write_data, sequences);
    sequences.targets.clear();
    sequences.parents.clear();
    write<Sequences>(bare, write_data, sequences);
    write<Kernels>(kernels, write_kernels, draw_kernels(sampling.prior, 1, Purpose::test, 6));
    Model model;
    model.window = 4;
    model.heads = 2;
    model.degree = 1;
    write<Parameters>(parameters, write_parameters, initial_parameters(model, {}));
  }

  template <class T>
  static void write(const std::string& path,
                    void (*writer)(OutputFile&, const T&, const Provenance&), const T& value) {
    OutputFile file(path, false);
    writer(file, value, {});
  }
};

}  // namespace

TEST_CASE("the default problem is the paper's") {
  const Problem problem = prepared({});
  CHECK(problem.chains()->count() == 9000);
  CHECK(problem.validation_chains()->count() == 1000);
  CHECK(problem.start() == initial_parameters(Model(), InitialPoint()));
  CHECK(problem.notes.empty());
  // Unused with the flow: what gradient descent alone listens to.
  CHECK(problem.unused == std::set<Field>{Field::batch, Field::learning_rate, Field::optimizer,
                                          Field::qk_init, Field::rectify_width, Field::resample,
                                          Field::value_init, Field::rate_schedule, Field::warm_up,
                                          Field::passage, Field::text_as});
}

TEST_CASE("what does not fit together is refused, in the words of the user's option") {
  CHECK(error({{"length", "3"}}) ==
        "--length 3: must exceed the widest lag, 3, with --boundary masked");
  CHECK(error({{"head-windows", "shifted"}, {"length", "5"}}) ==
        "--length 5: must exceed the widest lag, 5, with --boundary masked");
  CHECK(error({{"floor", "0.34"}}).starts_with("--floor 0.34: must be at least 0 and below"));
  CHECK(error({{"parents", "1,101"}, {"initial-law", "uniform"}}) ==
        "--length 100: must be at least the longest parent lag, 101");
  CHECK(error({{"degree", "4"}}) == "--degree 4: must be at most the number of --heads, 3");
  CHECK(error({{"heads", "4"}}).starts_with("--heads 4: must be at most the --window, 3"));
  CHECK(error({{"labels", "posterior"}})
            .starts_with("--labels posterior: not exact with --initial-law"));
  if (!cuda_fault().empty()) CHECK(error({{"device", "cuda"}}) == "--device cuda: " + cuda_fault());
  CHECK(error({{"first-output", "2000"}}).starts_with("--first-output 2000: must be less than"));
  CHECK(
      error({{"context", "infinite"}, {"window", "45"}}).starts_with("--window 45: windows of 45"));
  CHECK(
      error({{"chains", "100000000000"}})
          .starts_with(
              "--chains 100000000000: need with --validation-chains 1000 and --length 100 up to"));
  CHECK(
      error({{"stages", ""}}) ==
      "--stages: '' names no block; a stage is BLOCKS:TIME with letters of c, w, a, q, k, v, n, each "
      "once, and TIME > 0 in flow time, for example c:2000");
}

TEST_CASE("all faults come at once, and none that another one only causes") {
  CHECK(errors({{"alpha", "0"}, {"rtol", "x"}, {"length", "2"}, {"degree", "9"}}).size() == 4);
  CHECK(errors({{"vocabulary", "1"}, {"floor", "0.4"}}).size() == 1);
  CHECK(errors({{"stages", "c:0,w,xx:1"}}).size() == 3);
}

TEST_CASE("accepted although it looks odd") {
  CHECK(prepared({{"validation-chains", "0"}}).validation_chains() == nullptr);
  const Problem softmax = prepared({{"readout", "softmax"}, {"epsilon", "0.5"}});
  REQUIRE(softmax.notes.size() == 1);
  CHECK(words(softmax.notes.front()) == "epsilon has no effect: readout softmax has no smoothing");
  CHECK(prepared({{"parents", ""}}).chains()->parents().empty());
}

TEST_CASE("a library user's setting is checked like a command line") {
  TrainSetting setting;
  setting.sampling.prior.alpha = -1.0;
  setting.flow.rtol = 0.0;
  setting.threads = 0;
  setting.stages.clear();
  CHECK(input_errors([&] { prepare(setting); }) ==
        std::vector<std::string>{"alpha -1: must be a finite number above 0",
                                 "rtol 0: must be a finite number of at least 1e-16",
                                 "threads 0: must be an integer from 1 to 1024",
                                 "stages: must be at least one stage BLOCKS:TIME, as in c:2000"});
  TrainSetting other;
  other.model.vocabulary = 4;
  CHECK(input_errors([&] { prepare(other); }) ==
        std::vector<std::string>{"vocabulary 4 of the model: must be that of the prior, 3"});
}

TEST_CASE("the setting of a command is a problem of that command, with its defaults") {
  TrainSetting training;
  training.sampling.prior.vocabulary = 5;  // set once
  training.sampling.count = 7;
  const Problem problem = prepare(training);
  CHECK(problem.setting.model.vocabulary == 5);
  CHECK(problem.chains()->count() == 7);
  CHECK(problem.provenance().config.find("vocabulary = 5\n") != std::string::npos);

  const SampleSetting sampling;
  CHECK(sampling.sampling.purpose == Purpose::sample);
  CHECK(prepare(sampling).provenance().config.find("window") == std::string::npos);

  CompareSetting comparing;
  CHECK(prepare(comparing).comparison().flow.rtol == 1e-10);
  CHECK(prepare(comparing).provenance().config.find("\nrtol = 1e-10\n") != std::string::npos);
  comparing.flow.rtol = 1e-8;
  CHECK(prepare(comparing).comparison().flow.rtol == 1e-8);
  CHECK(prepared<CompareSetting>({}).comparison().flow.rtol == 1e-10);
  CHECK(prepared<CompareSetting>({{"rtol", "1e-7"}}).comparison().flow.rtol == 1e-7);
}

TEST_CASE("given data fix what they hold") {
  const Files files;
  const Problem problem = prepared({{"data", files.data}});
  CHECK(problem.setting.model.vocabulary == 2);
  CHECK(problem.setting.sampling.length == 20);
  CHECK(problem.setting.sampling.count == 4);
  CHECK(problem.setting.sampling.prior.parents == std::vector<Index>{1, 3});
  CHECK(problem.parents_known);
  CHECK(problem.validation_chains() == nullptr);
  CHECK(problem.unused ==
        std::set<Field>{Field::prior, Field::alpha, Field::floor, Field::initial_law, Field::query,
                        Field::labels, Field::batch, Field::learning_rate, Field::optimizer,
                        Field::qk_init, Field::rectify_width, Field::resample, Field::value_init,
                        Field::rate_schedule, Field::warm_up, Field::passage, Field::text_as});
  CHECK(prepared({{"data", files.data}, {"vocabulary", "2"}, {"chains", "4"}}).notes.empty());

  CHECK(error({{"data", files.data}, {"vocabulary", "3"}}) ==
        "--vocabulary 3: must be 2, which " + files.data + " fixes");
  CHECK(error({{"data", files.data}, {"parents", "1,2"}}) ==
        "--parents 1,2: must be 1,3, which " + files.data + " fixes");
  CHECK(error({{"data", files.data}, {"chains", "3"}}) ==
        "--chains 3: must be 4, which " + files.data + " fixes");
  CHECK(error({{"data", files.data}, {"labels", "sampled"}}) ==
        "--labels sampled: must be left out, since " + files.data + " has /targets");
  CHECK(error({{"data", files.data}, {"validation-chains", "5"}}) ==
        "--validation-chains 5: must be 0 or left out beside --data without --validation-data");
  const Problem known = prepared({{"data", files.data}, {"alpha", "0.5"}});
  REQUIRE(known.notes.size() == 1);
  CHECK(words(known.notes.front()) == "alpha has no effect: the chains are those of " + files.data);
}

TEST_CASE("data without targets have sampled labels, and their parents may be unknown") {
  const Files files;
  const Problem problem = prepared({{"data", files.bare}, {"labels", "sampled"}});
  CHECK_FALSE(problem.parents_known);
  CHECK(problem.unused.contains(Field::parents));
  CHECK_FALSE(problem.unused.contains(Field::labels));
  CHECK(error({{"data", files.bare}, {"labels", "conditional"}}) ==
        "--labels conditional: must be sampled, since " + files.bare + " has no /targets");
  CHECK(prepared({{"data", files.bare}, {"parents", "1,3"}}).parents_known);
}

TEST_CASE("validation data are read from their own file") {
  const Files files;
  const Problem problem = prepared({{"data", files.data}, {"validation-data", files.bare}});
  CHECK(problem.validation_chains()->count() == 4);
  CHECK(error({{"validation-data", files.data}}) ==
        files.data + ": attribute vocabulary_size 2: must be 3, as in training");
  CHECK(
      error({{"data", files.data}, {"validation-data", files.bare}, {"validation-chains", "9"}}) ==
      "--validation-chains 9: must be 4, which " + files.bare + " fixes");
}

TEST_CASE(
    "given kernels fix vocabulary and parents, and the number of chains unless told otherwise") {
  const Files files;
  const Problem problem = prepared({{"kernels", files.kernels}});
  CHECK(problem.setting.sampling.count == 6);
  CHECK(problem.setting.model.vocabulary == 2);
  CHECK(problem.chains()->parents() == std::vector<Index>{1, 3});
  CHECK(prepared({{"kernels", files.kernels}, {"chains", "40"}}).chains()->count() == 40);
  CHECK(error({{"kernels", files.kernels}, {"data", files.data}}) ==
        "--kernels " + files.kernels + ": must not be given beside --data " + files.data);
  CHECK(error({{"kernels", files.kernels}, {"labels", "posterior"}})
            .starts_with("--labels posterior: not known"));
}

TEST_CASE("inputs held in memory stand for files, and are checked like them") {
  const Files files;
  const auto prepared_on = [](Values values, const Inputs& inputs) {
    Assembled asked = testing::assembled<TrainSetting>(values);
    asked.inputs = inputs;
    return prepare(asked);
  };
  Inputs inputs;
  auto sequences = std::make_shared<Sequences>(read_data(files.data));
  inputs.data = sequences;
  const Problem problem = prepared_on({{"data", "an array"}}, inputs);
  CHECK(problem.data == sequences);
  CHECK(problem.setting.sampling.length == 20);
  CHECK(problem.provenance().config.find("data = \"an array\"") != std::string::npos);
  CHECK(input_errors(
            [&] {
              prepared_on({{"data", "an array"}, {"chains", "3"}}, inputs);
            },
            testing::as_options) ==
        std::vector<std::string>{"--chains 3: must be 4, which an array fixes"});
  sequences->tokens[5] = 7;
  CHECK(input_errors(
            [&] {
              prepared_on({{"data", "an array"}}, inputs);
            },
            testing::as_options)
            .size() == 1);

  inputs = {};
  auto kernels = std::make_shared<Kernels>(read_kernels(files.kernels));
  inputs.kernels = kernels;
  CHECK(prepared_on({{"kernels", "an array"}}, inputs).kernels == kernels);
  kernels->values[0] = -1.0;
  CHECK(input_errors(
            [&] {
              prepared_on({{"kernels", "an array"}}, inputs);
            },
            testing::as_options)
            .size() == 1);

  inputs = {};
  inputs.parameters = read_parameters(files.parameters);
  CHECK(prepared_on({{"parameters", "a run"}}, inputs).start() == *inputs.parameters);
}

TEST_CASE("given parameters fix the shape of the model") {
  const Files files;
  const Problem problem = prepared({{"parameters", files.parameters}});
  CHECK(problem.setting.model.window == 4);
  CHECK(problem.setting.model.heads == 2);
  CHECK(problem.setting.model.degree == 1);
  CHECK(problem.start() == read_parameters(files.parameters));
  CHECK(error({{"parameters", files.parameters}, {"heads", "3"}}) ==
        "--heads 3: must be 2, which " + files.parameters + " fixes");
}

TEST_CASE("outputs are checked before any work, and files that are read are none") {
  const Files files;
  CHECK(error({{"output", files.data}}) ==
        "--output " + files.data +
            ": exists already; give --force to overwrite it, or another path");
  CHECK(error({{"data", files.data}, {"output", files.data}, {"force", "true"}}) ==
        "--output " + files.data + ": must not be a file that is read");
  CHECK(error<SampleSetting>({{"output", "a.h5"}, {"kernels-output", "a.h5"}}) ==
        "--kernels-output a.h5: must differ from --output");
  CHECK_NOTHROW(prepared({{"output", files.data}, {"dry-run", "true"}}));
}
