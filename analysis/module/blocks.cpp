#include "blocks.hpp"

#include <algorithm>

#include "gihflow/record/schema.hpp"

namespace gihflow::python {

namespace {

// c, or its derivative or error, then the plain arrays that there are.
std::vector<double> joined(std::vector<double> x, const PlainBlocks& blocks) {
  for (const PlainArray& array : plain_arrays) {
    const std::span<const double> numbers = array.in(blocks);
    x.insert(x.end(), numbers.begin(), numbers.end());
  }
  return x;
}

}  // namespace

Shape lengths_of(const std::string& axes, const Parameters& shape) {
  Shape lengths;
  for (const Index length : gihflow::shape_of(axes.c_str(), shape))
    lengths.push_back(static_cast<std::size_t>(length));
  return lengths;
}

std::size_t size_of(const Parameters& shape) {
  return packed(shape).size();
}

nb::tuple described_blocks(const Parameters& shape) {
  nb::list blocks;
  const auto add = [&](const char* name, const std::string& meaning, const char* axes) {
    blocks.append(nb::make_tuple(name, meaning, tuple_of(lengths_of(axes, shape))));
  };
  add("c", "coefficients c_S of the subsets (2.2)", "S");
  for (const PlainArray& array : plain_arrays)
    if (!array.in(shape).empty())
      add(array.name, std::string(array.meaning) + " " + array.formula, array.axes);
  return nb::tuple(blocks);
}

Parameters unpacked(std::span<const double> x, const Parameters& shape) {
  Parameters result = shape;
  result.set_c(x.first(shape.log_c_squared.size()));
  x = x.subspan(shape.log_c_squared.size());
  for (const PlainArray& array : plain_arrays) {
    const std::span<double> numbers = array.of(result);
    std::copy_n(x.begin(), numbers.size(), numbers.begin());
    x = x.subspan(numbers.size());
  }
  return result;
}

std::vector<double> packed(const Parameters& parameters) {
  return joined(parameters.c(), parameters);
}

void pack_gradient(const Parameters& at, const Gradient& gradient, double* out) {
  const std::vector<double> all = joined(c_gradient(at, gradient), gradient);
  std::copy(all.begin(), all.end(), out);
}

std::vector<double> packed(const StandardErrors& errors) {
  return joined(errors.c, errors);
}

Stage every_block(const Parameters& shape) {
  std::string letters = "c";
  for (const PlainArray& array : plain_arrays)
    if (!array.in(shape).empty() && letters.back() != array.letter) letters += array.letter;
  Stage stage;
  stage.blocks = BlockSet(letters);
  return stage;
}

}  // namespace gihflow::python
