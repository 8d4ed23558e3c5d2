// Runs of several processes, which are threads here, against runs of one.

#include "run/serve.hpp"

#include <doctest/doctest.h>

#include "base/ranks.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/run/train.hpp"
#include "population/shared.hpp"
#include "run/shared_objectives.hpp"
#include "support/directory.hpp"
#include "support/input_errors.hpp"
#include "support/ranks.hpp"

using namespace gihflow;
using namespace gihflow::testing;

namespace {

TrainSetting three_parts() {
  TrainSetting setting;
  setting.sampling.count = 140'000;
  setting.sampling.length = 6;
  setting.validation_chains = 70'000;
  setting.stages = parse_schedule("c:20,wa:5");
  setting.flow.outputs = 5;
  return setting;
}

template <class Work>
void as_processes(int count, const Work& work) {
  ThreadRanks(count).run(
      [&](Ranks& ranks) {
        const RanksScope scope(ranks);
        try {
          work();
        } catch (...) {
          end_serving(ranks);
          throw;
        }
        end_serving(ranks);
      },
      [](Ranks& ranks) { serve(ranks); });
}

void check_same(const RunFile& a, const RunFile& b) {
  CHECK(a.provenance == b.provenance);
  CHECK(a.tokens_hash == b.tokens_hash);
  CHECK(a.validation_hash == b.validation_hash);
  CHECK(a.state == b.state);
  CHECK(a.execution.ranks == a.execution.processes.back().ranks);
  REQUIRE(a.standard_errors.has_value());
  REQUIRE(b.standard_errors.has_value());
  CHECK(a.standard_errors->loss == b.standard_errors->loss);
  CHECK(a.standard_errors->c == b.standard_errors->c);
  CHECK(a.standard_errors->w == b.standard_errors->w);
}

}  // namespace

TEST_CASE("a run of several processes has the bits of a run of one") {
  TrainSetting flow = three_parts(), descent = three_parts(), infinite = three_parts();
  descent.method = TrainingMethod::gd;
  descent.batch = 500;
  descent.stages = parse_schedule("c:4,wa:2");
  infinite.context = ContextLength::infinite;
  infinite.validation_chains = 0;
  infinite.stages = parse_schedule("c:2");
  infinite.model.window = 2;
  infinite.model.heads = 2;
  const auto check = [](const TrainSetting& setting, const std::vector<int>& counts) {
    const Run alone = train(setting);
    for (const int count : counts) {
      CAPTURE(count);
      as_processes(count, [&] {
        const Run run = train(setting);
        check_same(run, alone);
        CHECK(run.execution.ranks == count);
      });
    }
  };
  check(flow, {2, 3, 5});
  TrainSetting six_parts = three_parts();  // of which the second process adds two
  six_parts.sampling.count = 330'000;
  six_parts.stages = parse_schedule("c:5");
  check(six_parts, {2});
  check(descent, {3});
  check(infinite, {2});
}

TEST_CASE("a run of several processes goes on in another number of them") {
  const Directory directory;
  TrainSetting setting = three_parts();
  setting.flow.max_steps = 1000;
  const Run alone = train(setting);
  setting.output = directory / "run.h5";
  setting.flow.max_steps = 3;
  as_processes(2, [&] { CHECK(train(setting).state.outcome == Outcome::step_limit); });
  TrainSetting rest;
  rest.resume = setting.output;
  rest.flow.max_steps = 1000;
  as_processes(3, [&] {
    const Run run = train(rest);
    check_same(run, alone);
    REQUIRE(run.execution.processes.size() == 2);
    CHECK(run.execution.processes[0].ranks == 2);
    CHECK(run.execution.processes[1].ranks == 3);
  });
}

TEST_CASE("what one process cannot do ends all with its sentence, once") {
  int calls = 0;
  ThreadRanks(3).run(
      [&](Ranks& ranks) {
        const std::string sentence = input_error([&] { ask(ranks, "anything", [&] { ++calls; }); });
        CHECK(sentence == "process 2 of 3: no chains here");
        CHECK(calls == 1);
        // The others are still there.
        const auto answers = ask(ranks, "again", [&] { ++calls; });
        CHECK(answers.size() == 2);
      },
      [](Ranks& ranks) {
        std::string message;
        ranks.broadcast(message);
        answer(ranks, [&](Packer&) { throw std::runtime_error("no chains here"); });
        ranks.broadcast(message);
        answer(ranks, [](Packer&) {});
      });
}

TEST_CASE("every chain is held by one process, and parts are whole") {
  for (const Index chains : {1, 64, 65, 640, 1000})
    for (const int count : {1, 2, 3, 5, 20}) {
      Index next = 0;
      for (int rank = 0; rank < count; ++rank) {
        const ChainRange range = chains_of_rank({chains, 64}, rank, count);
        CHECK(range.first == next);
        if (range.count > 0) CHECK(range.first % 64 == 0);
        next += range.count;
        if (rank == 0) CHECK(range.count > 0);
      }
      CHECK(next == chains);
    }
}

TEST_CASE("two processes on one card are refused by name") {
  CHECK_NOTHROW(check_cards({"a", "b", "c"}));
  CHECK(input_error([] {
          check_cards({"a", "b", "a", "b"});
        }) == "device cuda: takes a card for each process; processes 1 and 3 have the same");
}

TEST_CASE("what has no parts is refused by name") {
  TrainSetting setting = three_parts();
  setting.sampling.count = 10;
  setting.engine = Engine::reference;
  as_processes(2, [&] {
    CHECK(input_error([&] { train(setting); }) ==
          "engine reference: works in one process; there are 2");
  });
}
