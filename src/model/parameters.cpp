#include "gihflow/model/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

double logsumexp(std::span<const double> theta) {
  double top = *std::max_element(theta.begin(), theta.end());
  if (!std::isfinite(top)) return top;
  double sum = 0.0;
  for (double x : theta) sum += std::exp(x - top);
  return top + std::log(sum);
}

std::vector<double> softmax(std::span<const double> theta) {
  double top = *std::max_element(theta.begin(), theta.end());
  std::vector<double> p(theta.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += p[i] = std::exp(theta[i] - top);
  for (double& x : p) x /= sum;
  return p;
}

std::vector<double> Parameters::c() const {
  std::vector<double> values(log_c_squared.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = c_sign[i] == 0 ? 0.0 : c_sign[i] * std::exp(0.5 * log_c_squared[i]);
  return values;
}

void Parameters::set_c(std::span<const double> c) {
  log_c_squared.resize(c.size());
  c_sign.resize(c.size());
  for (std::size_t i = 0; i < c.size(); ++i) {
    c_sign[i] = (c[i] > 0.0) - (c[i] < 0.0);
    log_c_squared[i] =
        c[i] == 0.0 ? -std::numeric_limits<double>::infinity() : 2.0 * std::log(std::abs(c[i]));
  }
}

std::vector<double> Parameters::p() const {
  return softmax(log_c_squared);
}

double Parameters::log_normalizer() const {
  return logsumexp(log_c_squared);
}

std::vector<double> Parameters::attention() const {
  std::vector<double> sigma;
  sigma.reserve(w.size());
  for (Index h = 0; h < heads; ++h) {
    const auto row = softmax(std::span(w).subspan(size(h * window), size(window)));
    sigma.insert(sigma.end(), row.begin(), row.end());
  }
  return sigma;
}

Parameters initial_parameters(const Model& model, const InitialPoint& point) {
  if (model.head_windows == HeadWindows::shared && model.heads > model.window)
    throw InputError(fault(
        Field::heads, model.heads,
        "with {} shared the initial point puts head h on lag h, so at most {} = {} heads are "
        "allowed; give {}, or use {} shifted",
        Field::head_windows, Field::window, model.window, Field::parameters, Field::head_windows));
  Parameters parameters;
  parameters.window = model.window;
  parameters.heads = model.heads;
  parameters.degree = model.degree;
  std::vector<double> c(size(model.subsets()), point.c);
  parameters.set_c(c);
  for (Index h = 0; h < model.heads; ++h)
    for (Index i = 0; i < model.window; ++i)
      parameters.w.push_back(model.lag(h, i) == h + 1 ? point.w_own : point.w_other);
  parameters.a = point.a;
  return parameters;
}

ErrorList parameter_errors(const Parameters& parameters, const Model& model,
                           const std::string& name) {
  ErrorList errors;
  const auto refuse = [&](const char* why) { errors.add(Fault{.allowed = why, .where = name}); };
  const auto expect = [&](const char* what, auto given, auto wanted) {
    if (static_cast<Index>(given) != static_cast<Index>(wanted))
      errors.add(fault(name, "", "{} is {}, the model has {}", what, given, wanted));
  };
  expect("number of heads", parameters.heads, model.heads);
  expect("window", parameters.window, model.window);
  expect("degree", parameters.degree, model.degree);
  expect("number of coefficients c", parameters.log_c_squared.size(), model.subsets());
  expect("number of signs of c", parameters.c_sign.size(), model.subsets());
  expect("number of logits w", parameters.w.size(), model.heads * model.window);
  for (double theta : parameters.log_c_squared)
    if (std::isnan(theta) || theta == std::numeric_limits<double>::infinity()) {
      refuse("c holds a value that is not finite; every c must be finite");
      break;
    }
  bool any =
      std::any_of(parameters.log_c_squared.begin(), parameters.log_c_squared.end(),
                  [](double theta) { return theta > -std::numeric_limits<double>::infinity(); });
  if (!parameters.log_c_squared.empty() && !any)
    refuse("all c are zero; the normalisation (2.2) needs one that is not");
  for (double w : parameters.w)
    if (!std::isfinite(w)) {
      refuse("w holds a value that is not finite; every w must be finite");
      break;
    }
  if (!std::isfinite(parameters.a)) refuse("a is not finite; it must be a finite number");
  return errors;
}

}  // namespace gihflow
