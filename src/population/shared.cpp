#include "population/shared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "gihflow/base/errors.hpp"

namespace gihflow {

namespace {

constexpr char well = 0, failed = 1;  // first byte of an answer

template <class Sum>
void add_up(std::vector<Node<Sum>>& nodes, Index end, Index n) {
  sum_in_tree(nodes, end, n, [](Sum& x, const Sum& y) { add(x, y); });
}

/// The nodes of the tree over all parts that follow from a process's own parts; `first` is the
/// number of the first of these.
template <class Sum>
std::vector<Node<Sum>> nodes_of(std::vector<Sum> own, Index first, const Parts& all) {
  std::vector<Node<Sum>> nodes;
  for (Sum& sum : own) nodes.push_back({first++, std::move(sum)});
  add_up(nodes, first, all.count());
  return nodes;
}

void put(const Share& share, Packer& packer) {
  packer.put(share.value);
  packer.put(share.derivative);
}
void put(const Moments& moments, Packer& packer) {
  packer.put(moments.chains);
  packer.put(moments.mean);
  packer.put(moments.squares);
}
void take(Unpacker& from, Share& share) {
  share.value = from.gradient();
  share.derivative = from.gradient();
}
void take(Unpacker& from, Moments& moments) {
  moments.chains = from.number<double>();
  moments.mean = from.numbers<double>();
  moments.squares = from.numbers<double>();
}

template <class Sum>
void put_nodes(const std::vector<Node<Sum>>& nodes, Packer& packer) {
  for (const Node<Sum>& node : nodes) {
    packer.put(node.first);
    put(node.sum, packer);
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

  std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const override {
    Packer packer = request(Request::gradient);
    packer.put(at);
    packer.put(wanted.loss);
    packer.put(static_cast<char>(wanted.derivatives));
    packer.put(along != nullptr);
    if (along != nullptr) packer.put(*along);
    return sum<Share>(packer, [&] { return own_->shares(at, along, wanted); });
  }

  std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                  const Point& at) const override {
    Packer packer = request(Request::batch);
    packer.put(at);
    packer.put(std::vector<Index>(chains.begin(), chains.end()));
    packer.put(count);
    return sum<Share>(packer, [&] {
      std::vector<Index> some(chains.begin(), chains.end());
      std::erase_if(some, [&](Index chain) { return chain >= own_->chains(); });
      return own_->batch_shares(some, count, at);
    });
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    Packer packer = request(Request::moments);
    packer.put(static_cast<const PlainBlocks&>(at));
    for (const Index size : {at.window, at.heads, at.degree}) packer.put(size);
    packer.put(at.log_c_squared);
    packer.put(at.c_sign);
    return sum<Moments>(packer, [&] { return own_->moments(at); });
  }

 private:
  Packer request(Request kind) const {
    Packer packer;
    packer.put(static_cast<char>(kind));
    packer.put(number_);
    return packer;
  }

  /// The sum over the parts of all processes, as a list of one.
  template <class Sum, class Own>
  std::vector<Sum> sum(const Packer& packer, const Own& own) const {
    std::vector<Node<Sum>> nodes;
    const Parts all{chains_, own_->part_size()};
    const auto answers = ask(ranks_, packer.message, [&] { nodes = nodes_of(own(), 0, all); });
    for (const std::string& answer : answers)
      for (Unpacker rest(answer); !rest.empty();) {
        nodes.push_back({rest.number<Index>(), {}});
        take(rest, nodes.back().sum);
      }
    add_up(nodes, all.count(), all.count());
    std::vector<Sum> sum;
    sum.push_back(std::move(nodes.front().sum));
    return sum;
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

void answer_with(const PartedObjective* own, Index first, Index chains, Request request,
                 Unpacker& asked, Packer& packer) {
  if (own == nullptr) return;
  const Parts all{chains, own->part_size()};
  const Index part = first / all.size;
  if (request == Request::moments) {
    Parameters at;
    asked.read(at);
    for (Index* size : {&at.window, &at.heads, &at.degree}) *size = asked.number<Index>();
    at.log_c_squared = asked.numbers<double>();
    at.c_sign = asked.numbers<int>();
    put_nodes(nodes_of(own->moments(at), part, all), packer);
    return;
  }
  const Point at = asked.point();
  if (request == Request::batch) {
    std::vector<Index> some = asked.numbers<Index>();
    for (Index& chain : some) chain -= first;
    std::erase_if(some, [&](Index chain) { return chain < 0 || chain >= own->chains(); });
    const double count = asked.number<double>();
    put_nodes(nodes_of(own->batch_shares(some, count, at), part, all), packer);
    return;
  }
  const bool with_loss = asked.number<bool>();
  const Wanted wanted{with_loss, static_cast<Derivatives>(asked.number<char>())};
  Point along;
  const bool has_direction = asked.number<bool>();
  if (has_direction) along = asked.point();
  put_nodes(nodes_of(own->shares(at, has_direction ? &along : nullptr, wanted), part, all), packer);
}

}  // namespace gihflow
