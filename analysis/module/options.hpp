#pragma once

#include <string>

#include "gihflow/run/config.hpp"
#include "python.hpp"

namespace gihflow::python {

/// How Python calls a setting: validation_chains; from_, since `from` is a word of the language.
std::string keyword(Field field);

/// A function of the package: the options that it has as keyword arguments, and their defaults.
struct Command {
  std::string name;
  Groups groups = 0;
  Setting defaults = {};
};
/// Throws KeyError for an unknown name.
const Command& command_named(const std::string& name);

/// What a Python call says: values of options by their Python names, a config, inputs held in
/// memory.
struct Arguments {
  std::string command;
  nb::dict values;
  std::string config;
  nb::dict inputs;
  nb::object listener;
};

/// The setting that a call describes, with all faults. Values are read as the command line reads
/// them.
Assembled assembled(const Arguments& arguments);

}  // namespace gihflow::python
