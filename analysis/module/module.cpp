#include "gihflow/base/errors.hpp"
#include "options.hpp"
#include "python.hpp"

namespace gihflow::python {

namespace {

// One line for each fault, settings called as in Python.
std::string sentences(const InputError& error) {
  std::string text;
  for (const Fault& fault : error.faults()) {
    if (!text.empty()) text += '\n';
    text += sentence(fault, keyword);
  }
  return text;
}

void translate(const std::exception_ptr& failure, void*) {
  try {
    std::rethrow_exception(failure);
  } catch (const InputError& error) {
    PyErr_SetString(PyExc_ValueError, sentences(error).c_str());
  } catch (const WriteError& error) {
    PyErr_SetString(PyExc_OSError, error.what());
  }
}

}  // namespace

}  // namespace gihflow::python

NB_MODULE(_core, module) {
  using namespace gihflow::python;
  module.doc() = "The compiled part of gihflow; its public face is the package.";
  nanobind::register_exception_translator(translate);
  add_options(module);
  add_runs(module);
  add_commands(module);
  add_recorded(module);
  add_objective(module);
}
