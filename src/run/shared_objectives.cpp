#include "run/shared_objectives.hpp"

#include <algorithm>
#include <atomic>

#include "base/make_fault.hpp"
#include "gihflow/base/context.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/record/data_hash.hpp"
#include "population/shared.hpp"

namespace gihflow {

namespace {

Engine engine_of(int lanes) {
  return lanes == 8 ? Engine::dense : lanes == 1 ? Engine::sparse : Engine::automatic;
}

Index part_size(bool card) {
  return card ? chains_of_card_part : chains_of_part;
}

}  // namespace

OwnObjective own_objective(const Model& model, const Kernels& all, bool card, int rank, int ranks) {
  OwnObjective own;
  own.all = {all.vocabulary, 0, all.count};
  const ChainRange range = chains_of_rank({all.count, part_size(card)}, rank, ranks);
  if (range.count == 0) return own;
  const Kernels some = some_kernels(all, range.first, range.count);
  own.objective = card ? make_cuda_infinite_objective(model, some, part_size(card), all.count)
                       : make_host_infinite_objective(model, some, instruction_set(),
                                                      part_size(card), all.count);
  for (Index chain = 0; chain < some.count; ++chain)
    own.hashes.push_back(chain_hash({}, some.of_chain(chain)));
  own.first = range.first;
  return own;
}

OwnObjective own_objective(const Model& model, const SequenceSource& all, bool card, int lanes,
                           int rank, int ranks) {
  OwnObjective own;
  own.all = {all.vocabulary(), all.length(), all.count()};
  const ChainRange range = chains_of_rank({all.count(), part_size(card)}, rank, ranks);
  if (range.count == 0) return own;
  const HashingSource some(std::make_shared<SequenceSlice>(all, range.first, range.count));
  own.objective =
      card ? make_cuda_objective(model, some, engine_of(lanes), part_size(card), all.count())
           : make_tiled_objective(model, some, lanes, instruction_set(), part_size(card),
                                  all.count());
  own.hashes = some.hashes();
  own.first = range.first;
  return own;
}

Index chains_of_process(const Ranks& ranks, Index all, bool card) {
  return chains_of_rank({all, part_size(card)}, ranks.own(), ranks.count()).count;
}

void share_problem(Ranks& ranks, const Problem& problem) {
  const Setting& setting = problem.setting;
  if (setting.engine == Engine::reference)
    throw InputError(
        fault(Field::engine, "reference", "works in one process; there are {}", ranks.count()));
  const bool cards = setting.device == Device::cuda;
  Packer packer;
  packer.put(static_cast<char>(Request::problem));
  packer.put(threads());
  packer.put(std::string_view(problem.provenance().config));
  packer.put(cards);
  std::vector<std::string> taken(1);
  const auto answers = ask(ranks, packer.message, [&] {
    if (cards) taken[0] = take_card(ranks.local());
  });
  if (!cards) return;
  for (const std::string& answer : answers) taken.push_back(Unpacker(answer).text());
  check_cards(taken);
}

void check_cards(const std::vector<std::string>& taken) {
  for (auto card = taken.begin(); card != taken.end(); ++card) {
    const auto same = std::find(taken.begin(), card, *card);
    if (same == card) continue;
    throw InputError(fault(Field::device, "cuda",
                           "takes a card for each process; processes {} and {} have the same",
                           same - taken.begin() + 1, card - taken.begin() + 1));
  }
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
