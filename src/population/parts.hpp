#pragma once

// Sums over chains as sums over parts of consecutive chains (5.2), which have the same bits
// whichever process holds which part.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Chains of a part, the last of which may be shorter.
inline constexpr Index chains_of_part = Index{1} << 16;

/// The same on a card, which evaluates a part in one launch of each stage.
inline constexpr Index chains_of_card_part = Index{1} << 24;

/// N chains cut into parts.
struct Parts {
  Index chains;
  Index size = chains_of_part;

  Index count() const { return chains / size + (chains % size > 0 ? 1 : 0); }
  Index first(Index part) const { return part * size; }
  Index chains_of(Index part) const { return std::min(size, chains - first(part)); }
};

/// x += y, entry by entry.
inline void add_entries(std::span<double> x, std::span<const double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}
/// sums [blocks, size]: adds the rows of all blocks to the first one, in order.
inline void add_blocks(std::span<double> sums, std::size_t size) {
  for (std::size_t begin = size; begin < sums.size(); begin += size)
    add_entries(sums.first(size), sums.subspan(begin, size));
}

/// Bytes that parts take together.
template <class Part>
std::size_t memory_of(const std::vector<std::unique_ptr<const Part>>& parts) {
  std::size_t sum = 0;
  for (const auto& part : parts) sum += part->memory();
  return sum;
}

/// x_0 + … + x_{n−1} in the tree of (5.2): add(i, j) adds x_j to x_i, and x_0 becomes the sum.
template <class Add>
void sum_in_tree(Index n, const Add& add) {
  for (Index step = 1; step < n; step *= 2)
    for (Index i = 0; i + step < n; i += 2 * step) add(i, i + step);
}

/// A node of the tree: the sum over consecutive parts, of which `first` is the first.
template <class Sum>
struct Node {
  Index first;
  Sum sum;
};

/// Adds up nodes of consecutive parts, the last of which is end − 1, as far as the tree over n
/// parts allows without the others: add(x, y) adds y to x. Of k parts at most 2 log2(k) + 1 nodes
/// remain, of all n one.
template <class Sum, class Add>
void sum_in_tree(std::vector<Node<Sum>>& nodes, Index end, Index n, const Add& add) {
  for (Index step = 1; step < n && nodes.size() > 1; step *= 2) {
    std::size_t kept = 1;
    for (std::size_t i = 1; i < nodes.size(); ++i) {
      Node<Sum>& left = nodes[kept - 1];
      const Index middle = left.first + step;
      const bool siblings = left.first % (2 * step) == 0 && nodes[i].first == middle;
      if (siblings && std::min(middle + step, n) <= end) {
        add(left.sum, nodes[i].sum);
      } else {
        if (kept < i) nodes[kept] = std::move(nodes[i]);
        ++kept;
      }
    }
    nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(kept), nodes.end());
  }
}

/// What is wanted of an evaluation. The loss costs a logarithm per chain and token; without
/// derivatives there is no backward pass.
struct Wanted {
  bool loss = true;
  Derivatives derivatives = Derivatives::all;
};

/// What a part adds to the loss and gradient of all chains, and to their derivatives along a
/// direction. An empty p stands for nothing.
struct Share {
  Gradient value, derivative;
};

/// Number, mean and Σ (x − mean)² of the rows of some chains, see write_row().
struct Moments {
  double chains = 0.0;
  std::vector<double> mean, squares;  ///< [row_size]
};

/// x becomes the sum of both, or the moments of the chains of both (5.2).
void add(Share& x, const Share& y);
void add(Moments& x, const Moments& y);

/// The moments of rows [chains, row_size].
Moments moments_of_rows(std::span<const double> rows, Index row_size);
/// Standard errors of means over all chains from the moments of the parts.
StandardErrors errors_of_parts(std::vector<Moments> parts, const Model& model);

/// An objective whose sums over chains are sums over parts.
class PartedObjective : public Objective {
 public:
  void gradient(const Point& at, Gradient& out, bool with_loss = true) const final;
  void gradient_in(Derivatives wanted, const Point& at, Gradient& out,
                   bool with_loss = true) const final;
  double loss(const Point& at) const final;
  void batch_gradient(std::span<const Index> chains, const Point& at, Gradient& out) const final;
  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const final;
  StandardErrors standard_errors(const Parameters& at) const final;

  /// The shares of the parts that are held here, in order; with derivatives where `along` is not
  /// null. A loss that is not wanted is NaN, a gradient that is not wanted has no meaning.
  virtual std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const = 0;
  /// The shares of a minibatch in the mean gradient over `count` chains, without loss. Unless
  /// overridden it throws InputError: the engine has no minibatches.
  virtual std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                          const Point& at) const;
  /// The moments of the parts that are held here, in order.
  virtual std::vector<Moments> moments(const Parameters& at) const = 0;
  /// Chains of every part but the last one.
  virtual Index part_size() const { return chains_of_part; }
};

}  // namespace gihflow
