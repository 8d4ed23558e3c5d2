#include "gihflow/model/parameters.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/make_fault.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"

namespace gihflow {

double logsumexp(std::span<const double> theta) {
  if (theta.empty()) return -std::numeric_limits<double>::infinity();
  double top = *std::max_element(theta.begin(), theta.end());
  if (!std::isfinite(top)) return top;
  double sum = 0.0;
  for (double x : theta) sum += std::exp(x - top);
  return top + std::log(sum);
}

std::vector<double> softmax(std::span<const double> theta) {
  if (theta.empty()) return {};
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

Index Parameters::vocabulary() const {
  if (!gain.empty()) return static_cast<Index>(gain.size());
  const std::size_t squares = std::max(query.size(), value.size());
  return heads == 0
             ? 0
             : std::llround(std::sqrt(static_cast<double>(squares) / static_cast<double>(heads)));
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

std::vector<double> Parameters::balancedness() const {
  const Index d = key.empty() ? 0 : vocabulary();
  std::vector<double> out(key.size(), 0.0);
  for (Index h = 0; h < heads && d > 0; ++h)
    for (Index e = 0; e < d; ++e)
      for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < d; ++j) {
          const auto at = [&](Index k) { return size((h * d + e) * d + k); };
          out[size((h * d + i) * d + j)] += query[at(i)] * query[at(j)] - key[at(i)] * key[at(j)];
        }
  return out;
}

std::vector<double> Parameters::key_sum() const {
  const Index d = key.empty() ? 0 : vocabulary();
  std::vector<double> out(size(heads * d), 0.0);
  for (std::size_t k = 0; k < key.size(); ++k) {
    const auto axis = size(d);
    out[k / axis / axis * axis + k % axis] += key[k];
  }
  return out;
}

std::vector<double> Parameters::value_sum() const {
  const Index d = value.empty() ? 0 : vocabulary();
  std::vector<double> out(size(heads * d), 0.0);
  for (std::size_t k = 0; k < value.size(); ++k) out[k / size(d)] += value[k];
  return out;
}

namespace {

/// The lag on which head h (1-based) starts, see InitialPoint.
Index own_lag(const Model& model, Index head) {
  if (model.head_lags.empty()) return head + 1;
  const std::vector<Index>& lags = model.lags_of(head);
  return lags[std::min(size(head), lags.size() - 1)];
}

}  // namespace

Parameters initial_parameters(const Model& model, const InitialPoint& point) {
  if (model.head_lags.empty() && model.head_windows == HeadWindows::shared &&
      model.heads > model.window)
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
    for (Index i = 0; i < model.window; ++i) {
      const Index lag = model.lag(h, i);
      parameters.w.push_back(lag == 0                   ? -std::numeric_limits<double>::infinity()
                             : lag == own_lag(model, h) ? point.w_own
                                                        : point.w_other);
    }
  parameters.a = point.a;
  const auto multiple_of_unit = [&](double x) {
    const Index d = model.vocabulary;
    std::vector<double> out(size(model.heads * d * d), 0.0);
    for (Index h = 0; h < model.heads; ++h)
      for (Index e = 0; e < d; ++e) out[size((h * d + e) * d + e)] = x;
    return out;
  };
  if (model.scores == Scores::tokens)
    parameters.query = parameters.key = multiple_of_unit(point.query_key);
  if (model.values == HeadValues::matrix) parameters.value = multiple_of_unit(point.value);
  if (model.head_normalization == HeadNormalization::layer) {
    parameters.gain.assign(size(model.vocabulary), 1.0);
    parameters.bias.assign(size(model.vocabulary), 0.0);
  }
  return parameters;
}

ErrorList value_errors(const Parameters& parameters, const std::string& name) {
  ErrorList errors;
  const auto refuse = [&](const std::string& why) {
    errors.add(Fault{.allowed = why, .where = name});
  };
  const std::vector<double>& theta = parameters.log_c_squared;
  if (std::any_of(theta.begin(), theta.end(), [](double x) {
        return std::isnan(x) || x == std::numeric_limits<double>::infinity();
      }))
    refuse("c holds a value that is not finite; every c must be finite");
  const bool any = std::any_of(theta.begin(), theta.end(), [](double x) {
    return x > -std::numeric_limits<double>::infinity();
  });
  if (!theta.empty() && !any)
    refuse("all c are zero; the normalisation (2.2) needs one that is not");
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(parameters);
    const bool bounded = array.scale == ErrorScale::largest;
    const bool good = std::all_of(numbers.begin(), numbers.end(), [&](double x) {
      return (std::isfinite(x) && !(bounded && std::abs(x) > largest_entry)) ||
             (array.scale == ErrorScale::one && std::isinf(x) && x < 0.0);
    });
    if (good) continue;
    if (*array.axes == '\0')
      refuse(fmt::format("{} is not finite; it must be a finite number", array.name));
    else if (bounded)
      refuse(fmt::format("{0} holds a value beyond {1}; every {0} must be between -{1} and {1}",
                         array.name, largest_entry));
    else
      refuse(fmt::format("{0} holds a value that is not finite; every {0} must be finite",
                         array.name));
  }
  return errors;
}

ErrorList parameter_errors(const Parameters& parameters, const Model& model,
                           const std::string& name) {
  ErrorList errors;
  const auto expect = [&](const std::string& what, auto given, auto wanted) {
    if (static_cast<Index>(given) != static_cast<Index>(wanted))
      errors.add(fault(name, "", "{} is {}, the model has {}", what, given, wanted));
  };
  expect("number of heads", parameters.heads, model.heads);
  expect("window", parameters.window, model.window);
  expect("degree", parameters.degree, model.degree);
  expect("number of coefficients c", parameters.log_c_squared.size(), model.subsets());
  expect("number of signs of c", parameters.c_sign.size(), model.subsets());
  for (const PlainArray& array : plain_arrays) {
    const auto given = static_cast<Index>(array.in(parameters).size());
    const Index wanted = size_of(array, model);
    if (given != wanted) expect(fmt::format("number of entries of {}", array.name), given, wanted);
  }
  const bool fits = errors.empty();
  errors.add(value_errors(parameters, name));
  if (!fits) return errors;
  for (Index h = 0; h < model.heads; ++h)
    for (Index i = 0; i < model.window; ++i) {
      const double w = parameters.w[size(h * model.window + i)];
      if (std::isinf(w) == (model.lag(h, i) == 0)) continue;
      errors.add(fault(name, "", "w[{},{}] is {}; it must be {}", h + 1, i + 1, w,
                       model.lag(h, i) == 0 ? "-inf, since the head has no such lag" : "finite"));
    }
  return errors;
}

}  // namespace gihflow
