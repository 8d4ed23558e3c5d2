#include "run/serve.hpp"

#include <map>
#include <memory>
#include <optional>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/run/config.hpp"
#include "gihflow/run/problem.hpp"
#include "population/shared.hpp"
#include "run/shared_objectives.hpp"

namespace gihflow {

void serve(Ranks& ranks) {
  int threads = 1;
  bool cards = false;
  std::optional<Problem> problem;
  std::map<Index, OwnObjective> held;
  for (;;) {
    std::string message;
    ranks.broadcast(message);
    Unpacker asked(message);
    const Request request{asked.number<char>()};
    if (request == Request::end) return;
    if (request == Request::forget) {
      held.erase(asked.number<Index>());
      continue;
    }
    answer(ranks, [&](Packer& packer) {
      if (request == Request::problem) {
        threads = asked.number<int>();
        problem = prepare(
            TrainSetting(setting_of_config(asked.text(), "the config of the first process")));
        cards = asked.number<bool>();
        if (cards) packer.put(std::string_view(take_card(ranks.local())));
        return;
      }
      const ContextScope scope({.threads = threads});
      const Index number = asked.number<Index>();
      if (request == Request::build) {
        const bool validation = asked.number<bool>();
        const int lanes = asked.number<int>();
        const Model& model = problem->setting.model;
        held[number] =
            problem->infinite()
                ? own_objective(
                      model,
                      validation ? *problem->validation_kernels() : *problem->chain_kernels(),
                      cards, ranks.own(), ranks.count())
                : own_objective(model,
                                validation ? *problem->validation_chains() : *problem->chains(),
                                cards, lanes, ranks.own(), ranks.count());
        packer.put(held[number].hashes);
        return;
      }
      const OwnObjective& own = held.at(number);
      answer_with(own.objective.get(), own.first, own.all.chains, request, asked, packer);
    });
  }
}

void end_serving(Ranks& ranks) {
  Packer packer;
  packer.put(static_cast<char>(Request::end));
  ranks.broadcast(packer.message);
}

}  // namespace gihflow
