#include "gihflow/population/objective.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/mean_error.hpp"
#include "population/engines.hpp"

namespace gihflow {

Device resolved(Device device) {
  if (device != Device::automatic) return device;
  return cuda_fault().empty() ? Device::cuda : Device::cpu;
}

Point point_of(const Parameters& parameters) {
  return {parameters.p(), parameters.w, parameters.a};
}

std::vector<double> c_gradient(const Parameters& parameters, const Gradient& gradient) {
  std::vector<double> p = parameters.p(), c = parameters.c();
  double mean = std::inner_product(p.begin(), p.end(), gradient.p.begin(), 0.0);
  // 2c/C_D by way of θ, so that a c that underflows divides nothing.
  double half = 0.5 * parameters.log_normalizer();
  for (std::size_t i = 0; i < c.size(); ++i) {
    double scaled = parameters.c_sign[i] == 0
                        ? 0.0
                        : parameters.c_sign[i] * std::exp(0.5 * parameters.log_c_squared[i] - half);
    c[i] = 2.0 * scaled * std::exp(-half) * (gradient.p[i] - mean);
  }
  return c;
}

void Objective::batch_gradient(std::span<const Index>, const Point&, Gradient&) const {
  throw InputError("batch: the " + engine() +
                   " engine has no minibatches; use all chains, batch 0");
}

void write_row(const Parameters& at, const Gradient& of_chain, double* row) {
  const std::vector<double> c = c_gradient(at, of_chain);
  *row++ = of_chain.loss;
  row = std::copy(c.begin(), c.end(), row);
  row = std::copy(of_chain.w.begin(), of_chain.w.end(), row);
  *row = of_chain.a;
}

StandardErrors errors_of_rows(const std::vector<double>& rows, Index chains, Index subsets,
                              Index logits) {
  Index width = 2 + subsets + logits;
  std::vector<double> column(static_cast<std::size_t>(chains));
  auto error_of = [&](Index j) {
    for (Index i = 0; i < chains; ++i)
      column[static_cast<std::size_t>(i)] = rows[static_cast<std::size_t>(i * width + j)];
    return mean_error(column).error;
  };
  StandardErrors errors;
  errors.loss = error_of(0);
  for (Index j = 0; j < subsets; ++j) errors.c.push_back(error_of(1 + j));
  for (Index j = 0; j < logits; ++j) errors.w.push_back(error_of(1 + subsets + j));
  errors.a = error_of(width - 1);
  return errors;
}

std::unique_ptr<Objective> make_objective(const Model& model, const SequenceSource& source,
                                          Engine engine, Device device) {
  ErrorList errors;
  if (source.count() < 1) errors.add("chains 0: at least one sequence is needed");
  if (source.vocabulary() != model.vocabulary)
    errors.add("vocabulary " + std::to_string(source.vocabulary()) +
               " of the data: the model has vocabulary " + std::to_string(model.vocabulary));
  if (model.boundary == Boundary::masked && source.length() <= model.widest())
    errors.add("length " + std::to_string(source.length()) +
               ": with masked boundary it must exceed the widest lag " +
               std::to_string(model.widest()));
  errors.throw_if_any();
  if (engine == Engine::reference) return make_reference_objective(model, source);
  if (resolved(device) == Device::cuda) return make_cuda_objective(model, source, engine);
  return make_tiled_objective(model, source,
                              engine == Engine::dense    ? 8
                              : engine == Engine::sparse ? 1
                                                         : 0);
}

}  // namespace gihflow
