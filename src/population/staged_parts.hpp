#pragma once

// Objectives of the staged engines: chains are cut into parts, each of which is evaluated by
// itself.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gihflow/chain/sequence.hpp"
#include "population/engines.hpp"
#include "population/staged_infinite.hpp"
#include "population/staged_objective.hpp"

namespace gihflow::GIHFLOW_ISA {

/// Part: StagedChains or StagedKernels.
template <class Part>
class StagedParts final : public PartedObjective {
 public:
  /// part_of(first, count): the part of `count` chains from `first` on. Means are over `of` chains,
  /// see make_tiled_objective().
  template <class PartOf>
  StagedParts(Parts parts, Index of, const PartOf& part_of) : cut_(parts), of_(of) {
    for (Index i = 0; i < cut_.count(); ++i)
      parts_.push_back(part_of(cut_.first(i), cut_.chains_of(i)));
  }

  const Model& model() const override { return parts_.front()->model(); }
  Index chains() const override { return cut_.chains; }
  Index part_size() const override { return cut_.size; }
  std::string engine() const override { return parts_.front()->engine(); }
  std::size_t memory() const override { return memory_of(parts_); }

  std::vector<Share> shares(const Point& at, const Point* along, Wanted wanted) const override {
    std::vector<Share> out(parts_.size());
    for (std::size_t i = 0; i < out.size(); ++i)
      parts_[i]->gradient(at, along, static_cast<double>(of_), wanted.loss, out[i].value,
                          out[i].derivative);
    return out;
  }

  std::vector<Share> batch_shares(std::span<const Index> chains, double count,
                                  const Point& at) const override {
    if constexpr (requires(Gradient g) { parts_[0]->batch_gradient(chains, at, count, g); }) {
      std::vector<std::vector<Index>> of_part(parts_.size());
      for (const Index chain : chains)
        of_part[static_cast<std::size_t>(chain / cut_.size)].push_back(chain % cut_.size);
      std::vector<Share> out(parts_.size());
      for (std::size_t i = 0; i < out.size(); ++i)
        if (!of_part[i].empty()) parts_[i]->batch_gradient(of_part[i], at, count, out[i].value);
      return out;
    } else {
      return PartedObjective::batch_shares(chains, count, at);
    }
  }

  std::vector<Moments> moments(const Parameters& at) const override {
    std::vector<Moments> out;
    for (const auto& part : parts_) {
      std::vector<Moments> some = part->moments(at);
      sum_in_tree(static_cast<Index>(some.size()), [&](Index i, Index j) {
        add(some[static_cast<std::size_t>(i)], some[static_cast<std::size_t>(j)]);
      });
      out.push_back(std::move(some.front()));
    }
    return out;
  }

 private:
  Parts cut_;
  Index of_;
  std::vector<std::unique_ptr<const Part>> parts_;
};

/// The objective on sufficient statistics at a Place. of: number of chains that means are over, 0
/// for those of `source`. The first part chooses the layout of all.
template <class Place>
std::unique_ptr<PartedObjective> staged_objective(const Model& model, const SequenceSource& source,
                                                  Engine engine, Index part_size, Index of) {
  using Part = StagedChains<Place>;
  return std::make_unique<StagedParts<Part>>(
      Parts{source.count(), part_size}, of == 0 ? source.count() : of,
      [&](Index first, Index count) {
        auto part =
            std::make_unique<const Part>(model, SequenceSlice(source, first, count), engine);
        engine = part->engine() == "dense" ? Engine::dense : Engine::sparse;
        return part;
      });
}

/// The same in infinite context, with matrix products by Products, see staged_infinite.hpp.
template <class Place, class Products>
std::unique_ptr<PartedObjective> staged_infinite_objective(const Model& model,
                                                           const Kernels& kernels, Index part_size,
                                                           Index of) {
  using Part = StagedKernels<Place, Products>;
  return std::make_unique<StagedParts<Part>>(
      Parts{kernels.count, part_size}, of == 0 ? kernels.count : of, [&](Index first, Index count) {
        return std::make_unique<const Part>(model, some_kernels(kernels, first, count));
      });
}

}  // namespace gihflow::GIHFLOW_ISA
