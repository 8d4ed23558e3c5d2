#include "population/shared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr char well = 0, failed = 1;  // how answers begin

void put_shares(const std::vector<Share>& shares, Packer& packer) {
  for (const Share& share : shares) {
    packer.put(share.value);
    packer.put(share.derivative);
  }
}

void take_shares(const std::vector<std::string>& answers, std::vector<Share>& shares) {
  for (const std::string& answer : answers)
    for (Unpacker rest(answer); !rest.empty();) {
      Gradient value = rest.gradient();
      shares.push_back({std::move(value), rest.gradient()});
    }
}

class SharedObjective final : public PartedObjective {
 public:
  SharedObjective(Ranks& ranks, Index number, Index chains, std::unique_ptr<PartedObjective> own)
      : ranks_(ranks), number_(number), chains_(chains), own_(std::move(own)) {}
  SharedObjective(const SharedObjective&) = delete;
  SharedObjective& operator=(const SharedObjective&) = delete;
  ~SharedObjective() override {
    Packer packer = request(Request::forget);
    ranks_.broadcast(packer.message);
  }

  const Model& model() const override { return own_->model(); }
  Index chains() const override { return chains_; }
  std::string engine() const override { return own_->engine(); }
  std::size_t memory() const override { return own_->memory(); }

  std::vector<Share> shares(const Point& at, const Point* along, bool with_loss) const override {
    Packer packer = request(Request::gradient);
    packer.put(at);
    packer.put(with_loss);
    packer.put(along != nullptr);
    if (along != nullptr) packer.put(*along);
    std::vector<Share> all;
    const auto others =
        ask(ranks_, packer.message, [&] { all = own_->shares(at, along, with_loss); });
    take_shares(others, all);
    return all;
  }

  std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                  const Point& at) const override {
    Packer packer = request(Request::batch);
    packer.put(at);
    packer.put(std::vector<Index>(chains.begin(), chains.end()));
    packer.put(count);
    std::vector<Share> all;
    const auto others = ask(ranks_, packer.message, [&] {
      std::vector<Index> some(chains.begin(), chains.end());
      std::erase_if(some, [&](Index chain) { return chain >= own_->chains(); });
      all = own_->batch_shares(some, count, at);
    });
    take_shares(others, all);
    return all;
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    Packer packer = request(Request::moments);
    packer.put(static_cast<const PlainBlocks&>(at));
    for (const Index size : {at.window, at.heads, at.degree}) packer.put(size);
    packer.put(at.log_c_squared);
    packer.put(at.c_sign);
    std::vector<Moments> all;
    for (const std::string& answer : ask(ranks_, packer.message, [&] { all = own_->moments(at); }))
      for (Unpacker rest(answer); !rest.empty();) {
        Moments some;
        some.chains = rest.number<double>();
        some.mean = rest.numbers<double>();
        some.squares = rest.numbers<double>();
        all.push_back(std::move(some));
      }
    return all;
  }

 private:
  Packer request(Request kind) const {
    Packer packer;
    packer.put(static_cast<char>(kind));
    packer.put(number_);
    return packer;
  }

  Ranks& ranks_;
  Index number_, chains_;
  std::unique_ptr<PartedObjective> own_;
};

}  // namespace

ChainRange chains_of_rank(const Parts& parts, int rank, int ranks) {
  const auto first = [&](Index r) {
    return std::min(parts.chains, (parts.count() * r + ranks - 1) / ranks * parts.size);
  };
  return {first(rank), first(rank + 1) - first(rank)};
}

std::vector<std::string> ask(Ranks& ranks, std::string request, const std::function<void()>& own) {
  ranks.broadcast(request);
  std::exception_ptr error;
  try {
    own();
  } catch (...) {
    error = std::current_exception();
  }
  std::vector<std::string> answers = ranks.gather("");
  if (error) std::rethrow_exception(error);
  answers.erase(answers.begin());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].front() == failed) throw InputError(Fault{.where = answers[i].substr(1)});
    answers[i].erase(0, 1);
  }
  return answers;
}

void answer(Ranks& ranks, const std::function<void(Packer&)>& own) {
  Packer packer;
  packer.put(well);
  try {
    own(packer);
  } catch (const std::exception& error) {
    packer.message =
        failed + fmt::format("process {} of {}: {}", ranks.own() + 1, ranks.count(), error.what());
  }
  ranks.gather(packer.message);
}

std::unique_ptr<Objective> make_shared_objective(Ranks& ranks, Index number, Index chains,
                                                 std::unique_ptr<PartedObjective> own) {
  return std::make_unique<SharedObjective>(ranks, number, chains, std::move(own));
}

void answer_with(const PartedObjective* own, Index first, Request request, Unpacker& asked,
                 Packer& packer) {
  if (own == nullptr) return;
  if (request == Request::moments) {
    Parameters at;
    asked.read(at);
    for (Index* size : {&at.window, &at.heads, &at.degree}) *size = asked.number<Index>();
    at.log_c_squared = asked.numbers<double>();
    at.c_sign = asked.numbers<int>();
    for (const Moments& some : own->moments(at)) {
      packer.put(some.chains);
      packer.put(some.mean);
      packer.put(some.squares);
    }
    return;
  }
  const Point at = asked.point();
  if (request == Request::batch) {
    std::vector<Index> chains = asked.numbers<Index>();
    for (Index& chain : chains) chain -= first;
    std::erase_if(chains, [&](Index chain) { return chain < 0 || chain >= own->chains(); });
    put_shares(own->batch_shares(chains, asked.number<double>(), at), packer);
    return;
  }
  const bool with_loss = asked.number<bool>();
  Point along;
  const bool has_direction = asked.number<bool>();
  if (has_direction) along = asked.point();
  put_shares(own->shares(at, has_direction ? &along : nullptr, with_loss), packer);
}

}  // namespace gihflow
