#include "gihflow/population/objective.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "population/engines.hpp"
#include "population/features.hpp"
#include "population/tiled_statistics.hpp"

namespace gihflow {

namespace {

int cpu_lanes(Engine engine) {
  return engine == Engine::dense ? 8 : engine == Engine::sparse ? 1 : 0;
}

}  // namespace

bool card_computes(const Model& model) {
  return has_card_features(model) && cuda_fault().empty();
}

Derivatives derivatives_in(const BlockSet& blocks) {
  for (const PlainArray& array : plain_arrays)
    if (array.letter != 'a' && blocks.has(array.letter)) return Derivatives::all;
  return blocks.has('c') ? Derivatives::weights : Derivatives::scale;
}

Point point_of(const Parameters& parameters) {
  return {parameters.p(), static_cast<const PlainBlocks&>(parameters)};
}

std::vector<double> c_gradient(const Parameters& parameters, const Gradient& gradient) {
  std::vector<double> p = parameters.p(), c = parameters.c();
  double mean = std::inner_product(p.begin(), p.end(), gradient.p.begin(), 0.0);
  // 2c_S/C_D from θ, as c_S and C_D themselves may underflow.
  double half = 0.5 * parameters.log_normalizer();
  for (std::size_t i = 0; i < c.size(); ++i) {
    double scaled = parameters.c_sign[i] == 0
                        ? 0.0
                        : parameters.c_sign[i] * std::exp(0.5 * parameters.log_c_squared[i] - half);
    c[i] = 2.0 * scaled * std::exp(-half) * (gradient.p[i] - mean);
  }
  return c;
}

void Objective::gradient_in(Derivatives, const Point& at, Gradient& out, bool with_loss) const {
  gradient(at, out, with_loss);
}

double Objective::loss(const Point& at) const {
  Gradient out;
  gradient(at, out, true);
  return out.loss;
}

void Objective::batch_gradient(std::span<const Index>, const Point&, Gradient&) const {
  throw InputError(fault(Field::batch, "", "the {} {} has no minibatches; use all chains, {} 0",
                         engine(), Field::engine, Field::batch));
}

double slope_along(const Gradient& gradient, const Point& along) {
  return std::inner_product(gradient.p.begin(), gradient.p.end(), along.p.begin(), 0.0) +
         dot(gradient, along);
}

void require_arrays(const Model& model, const Point& at) {
  ErrorList errors;
  const auto expect = [&](const char* name, std::size_t given, Index wanted) {
    if (static_cast<Index>(given) != wanted)
      errors.add(fault("point", "", "number of entries of {} is {}, the model has {}", name, given,
                       wanted));
  };
  expect("p", at.p.size(), model.subsets());
  for (const PlainArray& array : plain_arrays)
    expect(array.name, array.in(at).size(), size_of(array, model));
  errors.throw_if_any();
}

Index row_size(const Model& model) {
  Index numbers = 1 + model.subsets();
  for (const PlainArray& array : plain_arrays) numbers += size_of(array, model);
  return numbers;
}

void write_row(const Parameters& at, const Gradient& of_chain, double* row) {
  const std::vector<double> c = c_gradient(at, of_chain);
  *row++ = of_chain.loss;
  row = std::copy(c.begin(), c.end(), row);
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(of_chain);
    if (!array.in(at).empty()) row = std::copy(numbers.begin(), numbers.end(), row);
  }
}

StandardErrors errors_of_rows(const std::vector<double>& rows, const Model& model) {
  return errors_of_parts({moments_of_rows(rows, row_size(model))}, model);
}

MemoryBound objective_memory(const Model& model, Index chains, Index length, Engine engine,
                             Device device) {
  if (engine == Engine::reference) return reference_memory(model, chains, length);
  if (device != Device::cuda) return tiled_memory(model, chains, length, cpu_lanes(engine));
  // The host keeps the counts, for minibatches and for standard errors by the CPU engine.
  MemoryBound bound = statistics_memory(model, chains, length, engine == Engine::sparse ? 1 : 128);
  bound.kept = bound.peak;
  bound.peak += tiled_memory(model, chains, length, 0).peak;
  return bound;
}

std::unique_ptr<Objective> make_objective(const Model& model, const SequenceSource& source,
                                          Engine engine, Device device) {
  ErrorList errors;
  if (source.count() < 1) errors.add(fault(Field::chains, 0, "at least one sequence is needed"));
  if (source.vocabulary() != model.vocabulary)
    errors.add(fault(Field::vocabulary, fmt::format("{} of the data", source.vocabulary()),
                     "the model has {} {}", Field::vocabulary, model.vocabulary));
  if (model.boundary == Boundary::masked && source.length() <= model.widest())
    errors.add(fault(Field::length, source.length(),
                     "with masked {} it must exceed the widest lag {}", Field::boundary,
                     model.widest()));
  errors.throw_if_any();
  if (engine == Engine::reference) return make_reference_objective(model, source);
  if (device == Device::cuda) return make_cuda_objective(model, source, engine);
  return make_tiled_objective(model, source, cpu_lanes(engine));
}

}  // namespace gihflow
