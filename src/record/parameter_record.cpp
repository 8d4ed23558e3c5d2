#include "record/parameter_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gihflow/base/errors.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "record/fields.hpp"

namespace gihflow {

namespace {

using hdf5::InputFile;

constexpr double agreement_tolerance = 1e-9;  // relative

// Takes θ and signs from the file and checks c against them; c_S may have underflowed to 0.
void use_logarithms(InputFile& file, const std::string& group, const std::vector<double>& c,
                    Parameters& parameters) {
  const hdf5::Shape shape{c.size()};
  const auto theta = file.reals(group + "/log_c_squared", shape);
  const auto sign = file.has(group + "/c_sign")
                        ? file.integers(group + "/c_sign", shape)
                        : std::optional<std::vector<std::int64_t>>(std::in_place);
  if (!theta || !sign) return;
  parameters.log_c_squared = *theta;
  for (std::size_t s = 0; s < c.size(); ++s) {
    const double root = std::exp(0.5 * (*theta)[s]);
    const std::int64_t given =
        sign->empty() ? (std::isinf((*theta)[s]) ? 0 : (std::signbit(c[s]) ? -1 : 1)) : (*sign)[s];
    if (given < -1 || given > 1) {
      file.fault(fmt::format("{}/c_sign[{}] {}: must be -1, 0 or 1", group, s, given));
      return;
    }
    parameters.c_sign[s] = static_cast<int>(given);
    const double expected = given == 0 ? 0.0 : static_cast<double>(given) * root;
    if (!agrees(c[s], expected)) {
      file.fault(
          fmt::format("{}/c[{}] {}: must be sign*exp(log_c_squared/2) = {}, since the file "
                      "gives both",
                      group, s, c[s], expected));
      return;
    }
  }
}

}  // namespace

bool agrees(double given, double expected) {
  if (given == expected || (std::isnan(given) && std::isnan(expected))) return true;
  return std::abs(given - expected) <=
         agreement_tolerance * std::abs(expected) + std::numeric_limits<double>::min();
}

void write_parameter_axes(hdf5::Image& image, const Parameters& shape, const std::string& group) {
  const std::vector<std::uint32_t> masks = subsets(shape.heads, shape.degree);
  const std::string subset = group + "/subset", head = group + "/head";
  image.counting_scale(subset, 0, masks.size(), "index of a subset of heads, see /subsets");
  image.counting_scale(head, 1, size(shape.heads), "head");
  image.counting_scale(group + "/component", 1, size(shape.window), "component of a head's window");
  if (shape.vocabulary() > 0)
    image.counting_scale(group + "/token", 0, size(shape.vocabulary()), "token");
  std::vector<std::uint8_t> members;
  for (const std::uint32_t mask : masks) {
    for (Index h = 0; h < shape.heads; ++h) {
      members.push_back(static_cast<std::uint8_t>((mask >> h) & 1u));
    }
  }
  image.dataset<std::uint8_t>(group + "/subsets", members, {masks.size(), size(shape.heads)},
                              {"1", "whether the head belongs to the subset", {subset, head}});
}

void write_parameters_into(hdf5::Image& image, const std::string& group,
                           const Parameters& parameters) {
  const std::size_t n = parameters.log_c_squared.size();
  const std::vector<double> c = parameters.c();
  const std::vector<std::int8_t> sign(parameters.c_sign.begin(), parameters.c_sign.end());
  image.dataset<double>(group + "/c", c, {n}, {"1", "coefficient c_S of a subset", {"/subset"}});
  image.dataset<double>(group + "/log_c_squared", parameters.log_c_squared, {n},
                        {"1", "theta_S = log c_S^2", {"/subset"}});
  image.dataset<std::int8_t>(group + "/c_sign", sign, {n}, {"1", "sign of c_S", {"/subset"}});
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(parameters);
    if (numbers.empty()) continue;
    image.dataset<double>(group + "/" + array.name, numbers, file_shape(array.axes, parameters),
                          {"1", array.meaning, scales_of(array.axes)});
  }
}

std::optional<Parameters> read_parameters_from(InputFile& file, const std::string& group,
                                               std::optional<Index> degree) {
  const auto c = file.dataset(group + "/c", hdf5::Numbers::reals, "numbers, one for each subset");
  const auto w = file.dataset(group + "/w", hdf5::Numbers::reals, "numbers, [H, M]");
  const auto a = file.dataset(group + "/a", hdf5::Numbers::reals, "a number");
  bool usable = c && w && a && degree;
  if (w &&
      (w->shape.size() != 2 || w->shape[0] < 1 || w->shape[0] > most_elements || w->shape[1] < 1)) {
    file.fault(fmt::format("{} has shape {}: must be [H, M] with H from 1 to {} and M at least 1",
                           w->name, hdf5::to_string(w->shape), most_elements));
    usable = false;
  }
  if (a && a->entries() != 1) {
    file.fault(
        fmt::format("{} has shape {}: must be a scalar", a->name, hdf5::to_string(a->shape)));
    usable = false;
  }
  if (!usable) return std::nullopt;

  Parameters parameters;
  parameters.heads = static_cast<Index>(w->shape[0]);
  parameters.window = static_cast<Index>(w->shape[1]);
  parameters.degree = *degree;
  if (*degree < 0 || *degree > parameters.heads) {
    file.fault(fmt::format("attribute degree {}: must be from 0 to the number of heads, {}",
                           *degree, parameters.heads));
    return std::nullopt;
  }
  Index expected = 0;
  try {
    expected = subset_count(parameters.heads, *degree);
  } catch (const InputError& error) {
    file.fault(error.what());
    return std::nullopt;
  }
  if (c->shape != hdf5::Shape{static_cast<hsize_t>(expected)}) {
    file.fault(fmt::format("{} has shape {}: must be [{}], the subsets of at most {} of {} heads",
                           c->name, hdf5::to_string(c->shape), expected, *degree,
                           parameters.heads));
    return std::nullopt;
  }
  // Arrays over tokens, if the file has them; their numbers of tokens must agree.
  hsize_t tokens = 0;
  for (const PlainArray& array : plain_arrays) {
    const std::string path = group + "/" + array.name;
    if (std::string_view(array.axes).find('d') == std::string_view::npos || !file.has(path))
      continue;
    const auto given = file.dataset(path, hdf5::Numbers::reals, "numbers");
    if (!given) return std::nullopt;
    if (tokens == 0 && !given->shape.empty()) tokens = given->shape.back();
    hdf5::Shape wanted;
    for (const char axis : std::string_view(array.axes))
      wanted.push_back(axis == 'H' ? w->shape[0] : tokens);
    if (given->shape != wanted || tokens == 0) {
      file.fault(
          fmt::format("{} has shape {}: must be {}, for {} heads and as many tokens in every "
                      "such dataset",
                      path, hdf5::to_string(given->shape), hdf5::to_string(wanted), w->shape[0]));
      return std::nullopt;
    }
    const auto numbers = file.reals(*given);
    if (!numbers) return std::nullopt;
    array.assign(parameters, *numbers);
  }
  const auto c_values = file.reals(*c);
  const auto w_values = file.reals(*w);
  const auto a_value = file.reals(*a);
  if (!c_values || !w_values || !a_value) return std::nullopt;
  parameters.set_c(*c_values);
  parameters.w = *w_values;
  parameters.a = a_value->front();
  if (file.has(group + "/log_c_squared")) use_logarithms(file, group, *c_values, parameters);
  return parameters;
}

}  // namespace gihflow
