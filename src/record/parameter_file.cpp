#include "gihflow/record/parameter_file.hpp"

#include <fmt/format.h>

#include "gihflow/base/errors.hpp"
#include "record/parameter_record.hpp"
#include "record/provenance.hpp"

namespace gihflow {

Parameters read_parameters(const std::string& path, Isolation isolation) {
  hdf5::InputFile file(path, isolation);
  std::optional<Parameters> parameters;
  const std::string group = !file.has("/c") && file.has("/final") ? "/final" : "";
  const auto degree =
      file.integer_attribute("/", "degree", "the largest number of heads in a subset");
  parameters = read_parameters_from(file, group, degree);
  if (parameters && !file.faulty()) {  // finite values, not all coefficients zero
    for (const Fault& fault : value_errors(*parameters, "parameters").faults()) {
      file.fault(fault);
    }
  }
  file.finish();
  return *parameters;
}

void write_parameters(OutputFile& file, const Parameters& parameters,
                      const Provenance& provenance) {
  write_image(file, [&](hdf5::Image& image) {
    write_provenance(image, provenance);
    image.attribute("/", "degree", parameters.degree);
    write_parameter_axes(image, parameters);
    write_parameters_into(image, "", parameters);
  });
}

}  // namespace gihflow
