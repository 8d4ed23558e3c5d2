#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace gihflow::python {

namespace nb = nanobind;

using Shape = std::vector<std::size_t>;

/// A NumPy array that keeps `values` alive and shows them as they lie; a number where there are no
/// axes.
template <class T>
nb::object array_of(std::vector<T> values, const Shape& shape) {
  if (shape.empty()) return nb::cast(values.front());
  auto* kept = new std::vector<T>(std::move(values));
  const nb::capsule owner(
      kept, [](void* pointer) noexcept { delete static_cast<std::vector<T>*>(pointer); });
  return nb::cast(nb::ndarray<nb::numpy, T>(kept->data(), shape.size(), shape.data(), owner));
}
template <class T>
nb::object array_of(std::vector<T> values) {
  const std::size_t size = values.size();
  return array_of(std::move(values), {size});
}

/// A Python tuple of what `element` makes of each value.
template <class Values, class Element>
nb::tuple tuple_of(const Values& values, Element element) {
  nb::list list;
  for (const auto& value : values) list.append(element(value));
  return nb::tuple(list);
}
template <class T>
nb::tuple tuple_of(const std::vector<T>& values) {
  return tuple_of(values, [](const T& value) { return value; });
}

// Each file adds what it declares to the module.
void add_options(nb::module_& module);
void add_commands(nb::module_& module);
void add_recorded(nb::module_& module);
void add_runs(nb::module_& module);
void add_objective(nb::module_& module);

}  // namespace gihflow::python
