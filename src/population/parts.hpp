#pragma once

// Sums over chains are sums over parts of consecutive chains (5.2): whoever holds which part, the
// bits of the whole are the same.

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "gihflow/population/objective.hpp"

namespace gihflow {

/// Chains of a part.
inline constexpr Index chains_of_part = Index{1} << 16;

/// The same on a card, where a part is a launch.
inline constexpr Index chains_of_card_part = Index{1} << 24;

/// N chains cut into parts, the last of which may be shorter.
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
/// Of sums [blocks, size] the first becomes that of all, added in order.
inline void add_blocks(std::span<double> sums, std::size_t size) {
  for (std::size_t begin = size; begin < sums.size(); begin += size)
    add_entries(sums.first(size), sums.subspan(begin, size));
}

/// x_0 + … + x_{n−1} in one fixed binary tree over their numbers: add(i, j) adds x_j to x_i, and
/// x_0 becomes the sum.
template <class Add>
void sum_in_tree(Index n, const Add& add) {
  for (Index step = 1; step < n; step *= 2)
    for (Index i = 0; i + step < n; i += 2 * step) add(i, i + step);
}

/// A node of the tree: the sum over consecutive numbers from `first` on.
template <class Sum>
struct Node {
  Index first;
  Sum sum;
};

/// Adds up the nodes of consecutive numbers before `end`, as far as the tree over n numbers needs
/// no others for it: add(x, y) adds y to x. Of k numbers at most 2 log2(k) + 1 nodes remain, of all
/// n one.
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

/// What an evaluation is for. Loss and gradient cost a logarithm per chain and token more than the
/// gradient; the loss alone goes without the way back.
enum class Wanted : char { gradient, loss, both };

/// What a part adds to means over all chains, and to their derivatives along a direction. Nothing
/// where p is empty.
struct Share {
  Gradient value, derivative;
};

/// Moments of the rows of some chains.
struct Moments {
  double chains = 0.0;
  std::vector<double> mean, squares;  ///< [row_size], Σ x / n and Σ (x − mean)²
};

/// x becomes the sum of both, or the moments of all their chains.
void add(Share& x, const Share& y);
void add(Moments& x, const Moments& y);

/// Of rows [chains, row_size].
Moments moments_of_rows(std::span<const double> rows, Index row_size);
/// Standard errors of means over all chains from the moments of the parts.
StandardErrors errors_of_parts(std::vector<Moments> parts, const Model& model);

/// An objective whose sums over chains are those of its parts.
class PartedObjective : public Objective {
 public:
  void gradient(const Point& at, Gradient& out, bool with_loss = true) const final;
  double loss(const Point& at) const final;
  void batch_gradient(std::span<const Index> chains, const Point& at, Gradient& out) const final;
  void gradient_along(const Point& at, const Point& along, Gradient& out,
                      Gradient& derivative) const final;
  StandardErrors standard_errors(const Parameters& at) const final;

  /// Of every part that is held here, in order; with derivatives where `along` is not null. The
  /// loss is NaN, or the gradient any numbers, where it is not wanted.
  virtual std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const = 0;
  /// Of some chains to the mean over `count`, without loss. Here: throws InputError, there are no
  /// minibatches.
  virtual std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                          const Point& at) const;
  virtual std::vector<Moments> moments(const Parameters& at) const = 0;
  /// Chains of every part but the last one.
  virtual Index part_size() const { return chains_of_part; }
};

}  // namespace gihflow
