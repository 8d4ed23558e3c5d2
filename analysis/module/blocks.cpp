#include "blocks.hpp"

#include <algorithm>
#include <numeric>

namespace gihflow::python {

namespace {

std::vector<double> joined(const std::vector<double>& c, const std::vector<double>& w, double a) {
  std::vector<double> x = c;
  x.insert(x.end(), w.begin(), w.end());
  x.push_back(a);
  return x;
}

}  // namespace

const std::vector<Block>& blocks() {
  static const std::vector<Block> all{{"c", "coefficients c_S of the subsets (2.2)", "S"},
                                      {"w", "logits of the first attention (2.1)", "HM"},
                                      {"a", "scale of the second attention (2.3)", ""}};
  return all;
}

Shape shape_of(const std::string& axes, const Parameters& shape) {
  Shape lengths;
  for (const char axis : axes) {
    lengths.push_back(axis == 'S'   ? shape.log_c_squared.size()
                      : axis == 'H' ? static_cast<std::size_t>(shape.heads)
                                    : static_cast<std::size_t>(shape.window));
  }
  return lengths;
}

std::size_t size_of(const Parameters& shape) {
  std::size_t sum = 0;
  for (const Block& block : blocks()) {
    const Shape lengths = shape_of(block.axes, shape);
    sum += std::accumulate(lengths.begin(), lengths.end(), std::size_t{1}, std::multiplies<>());
  }
  return sum;
}

nb::tuple described_blocks(const Parameters& shape) {
  return tuple_of(blocks(), [&](const Block& block) {
    return nb::make_tuple(block.letter, block.meaning, tuple_of(shape_of(block.axes, shape)));
  });
}

Parameters unpacked(std::span<const double> x, const Parameters& shape) {
  Parameters result = shape;
  const std::size_t subsets = shape.log_c_squared.size();
  result.set_c(x.first(subsets));
  const auto w = x.subspan(subsets, shape.w.size());
  result.w.assign(w.begin(), w.end());
  result.a = x.back();
  return result;
}

std::vector<double> packed(const Parameters& parameters) {
  return joined(parameters.c(), parameters.w, parameters.a);
}

void pack_gradient(const Parameters& at, const Gradient& gradient, double* out) {
  out = std::copy_n(c_gradient(at, gradient).begin(), at.log_c_squared.size(), out);
  out = std::copy(gradient.w.begin(), gradient.w.end(), out);
  *out = gradient.a;
}

std::vector<double> packed(const StandardErrors& errors) {
  return joined(errors.c, errors.w, errors.a);
}

Stage every_block() {
  return {.c = true, .w = true, .a = true};
}

}  // namespace gihflow::python
