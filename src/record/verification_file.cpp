#include "gihflow/record/verification_file.hpp"

#include <fmt/format.h>

#include "record/provenance.hpp"

namespace gihflow {

namespace {

/// Makes a group with the attributes that identify a quantity and its subject.
void write_identity(hdf5::Image& image, const std::string& path, Quantity quantity,
                    const Subject& subject) {
  image.group(path);
  image.attribute(path, "phase", phase_of(quantity));
  image.attribute(path, "name", to_string(quantity));
  for (const auto& [name, value] : members_of(quantity, subject))
    image.attribute(path, name, value);
}

void write_comparison(hdf5::Image& image, const std::string& path, const VerificationRow& row) {
  write_identity(image, path, row.quantity, row.subject);
  image.attribute(path, "setting", row.setting);
  image.attribute(path, "quantity", label(row));
  image.attribute(path, "predicted", row.predicted);
  image.attribute(path, "measured", row.measured);
  image.attribute(path, "difference", row.difference);
  image.attribute(path, "tolerance", row.tolerance);
  image.attribute(path, "passed", static_cast<std::uint8_t>(row.passed));
  image.attribute(path, "predicted_set", row.predicted_set);
  image.attribute(path, "measured_set", row.measured_set);
  image.attribute(path, "regime", row.regime);
}

void write_curve(hdf5::Image& image, const std::string& path, const Curve& curve) {
  write_identity(image, path, curve.quantity, curve.subject);
  image.attribute(path, "setting", curve.setting);
  const std::string x = path + "/x";
  image.dataset<double>(x, curve.x, {curve.x.size()}, {"1", curve.x_name, {}});
  image.make_scale(x);
  for (const auto& [name, values] :
       {std::pair{"measured", &curve.measured}, std::pair{"predicted", &curve.predicted}}) {
    image.dataset<double>(path + "/" + name, *values, {values->size()},
                          {"1", fmt::format("{}, {}", curve.y_name, name), {x}});
  }
}

void write_departure(hdf5::Image& image, const std::string& path, const Departure& departure) {
  const Prediction& p = departure.prediction;
  write_identity(image, path, p.quantity, p.subject);
  image.attribute(path, "quantity", label(p.quantity, p.subject));
  image.attribute(path, "units", units_of(p.quantity));
  image.attribute(path, "sharp", p.sharp);
  image.attribute(path, "trained", p.trained);
  image.attribute(path, "measured", departure.measured);
  image.attribute(path, "sharp_set", p.sharp_set);
  image.attribute(path, "trained_set", p.trained_set);
  image.attribute(path, "regime", p.regime);
}

}  // namespace

void write_verification(OutputFile& file, const Verification& verification,
                        const Provenance& provenance) {
  write_image(file, [&](hdf5::Image& image) {
    write_provenance(image, provenance);
    image.attribute("/", "passed", static_cast<std::uint8_t>(verification.passed()));
    const auto numbered = [&](const std::string& group, const char* item, const auto& all,
                              auto write) {
      image.group(group);
      for (std::size_t i = 0; i < all.size(); ++i)
        write(image, fmt::format("{}/{}_{}", group, item, i + 1), all[i]);
    };
    numbered("/comparisons", "row", verification.rows, write_comparison);
    numbered("/curves", "curve", verification.curves, write_curve);
    numbered("/departures", "line", verification.departures, write_departure);
  });
}

}  // namespace gihflow
