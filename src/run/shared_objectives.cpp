#include "run/shared_objectives.hpp"

#include <atomic>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_hash.hpp"
#include "population/shared.hpp"

namespace gihflow {

namespace {

Kernels some_kernels(const Kernels& all, ChainRange range) {
  const auto each = static_cast<Index>(all.of_chain(0).size());
  const auto begin = all.values.begin() + range.first * each;
  return {all.vocabulary, all.parents, range.count, {begin, begin + range.count * each}};
}

}  // namespace

OwnObjective own_objective(const Model& model, const Kernels& all, int rank, int ranks) {
  OwnObjective own;
  own.all = {all.vocabulary, 0, all.count};
  const ChainRange range = chains_of_rank({all.count}, rank, ranks);
  if (range.count == 0) return own;
  const Kernels some = some_kernels(all, range);
  own.objective =
      make_host_infinite_objective(model, some, instruction_set(), chains_of_part, all.count);
  for (Index chain = 0; chain < some.count; ++chain)
    own.hashes.push_back(chain_hash({}, some.of_chain(chain)));
  own.first = range.first;
  return own;
}

OwnObjective own_objective(const Model& model, const SequenceSource& all, int lanes, int rank,
                           int ranks) {
  OwnObjective own;
  own.all = {all.vocabulary(), all.length(), all.count()};
  const ChainRange range = chains_of_rank({all.count()}, rank, ranks);
  if (range.count == 0) return own;
  const HashingSource some(std::make_shared<SequenceSlice>(all, range.first, range.count));
  own.objective =
      make_tiled_objective(model, some, lanes, instruction_set(), chains_of_part, all.count());
  own.hashes = some.hashes();
  own.first = range.first;
  return own;
}

void share_problem(Ranks& ranks, const Problem& problem) {
  const Setting& setting = problem.setting;
  if (setting.engine == Engine::reference)
    throw InputError(
        fault(Field::engine, "reference", "works in one process; there are {}", ranks.count()));
  if (resolved(setting.device, setting.model) == Device::cuda)
    throw InputError(fault(Field::device, "cuda",
                           "works in one process; there are {}, so it must "
                           "be cpu",
                           ranks.count()));
  Packer packer;
  packer.put(static_cast<char>(Request::problem));
  packer.put(threads());
  packer.put(std::string_view(problem.provenance().config));
  ask(ranks, packer.message, [] {});
}

std::unique_ptr<Objective> shared_objective(Ranks& ranks, OwnObjective own, bool validation,
                                            std::string& hash) {
  static std::atomic<Index> made{0};
  const Index number = made++;
  Packer packer;
  packer.put(static_cast<char>(Request::build));
  packer.put(number);
  packer.put(validation);
  packer.put(own.objective->engine() == "dense" ? 8 : 1);
  const auto answers = ask(ranks, packer.message, [] {});
  for (const std::string& some : answers)
    for (const std::uint64_t chain : Unpacker(some).numbers<std::uint64_t>())
      own.hashes.push_back(chain);
  hash = data_hash(own.all.vocabulary, own.all.length, own.hashes);
  return make_shared_objective(ranks, number, own.all.chains, std::move(own.objective));
}

}  // namespace gihflow
