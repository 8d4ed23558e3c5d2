#include "gihflow/record/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gihflow {

namespace {

using Row = std::vector<double>;

template <double Snapshot::*member>
Row number(const Snapshot& snapshot) {
  return {snapshot.*member};
}
template <double Snapshot::*member>
void set_number(Snapshot& snapshot, std::span<const double> row) {
  snapshot.*member = row.front();
}

// c may have underflowed: only its sign is taken, which survives as that of ±0.
void set_signs(Snapshot& snapshot, std::span<const double> c) {
  std::transform(c.begin(), c.end(), snapshot.parameters.c_sign.begin(),
                 [](double x) { return std::signbit(x) ? -1 : 1; });
}

void set_theta(Snapshot& snapshot, std::span<const double> theta) {
  snapshot.parameters.log_c_squared.assign(theta.begin(), theta.end());
  for (std::size_t s = 0; s < theta.size(); ++s) {
    if (std::isinf(theta[s])) snapshot.parameters.c_sign[s] = 0;
  }
}

}  // namespace

std::span<const SnapshotColumn> snapshot_columns() {
  static constexpr std::array columns{
      SnapshotColumn{{"t", "flow time", "flow time since the start of the stage"},
                     number<&Snapshot::t>,
                     set_number<&Snapshot::t>},
      SnapshotColumn{{"c", "1", "coefficient c_S of a subset", "S", "gauge-fixed"},
                     [](const Snapshot& s) { return s.parameters.c(); },
                     set_signs,
                     "log_c_squared",
                     true,
                     true},
      SnapshotColumn{{"log_c_squared", "1", "theta_S = log c_S^2", "S",
                      "(3.3), gauge-fixed; exact where `c` underflows"},
                     [](const Snapshot& s) { return s.parameters.log_c_squared; },
                     set_theta},
      SnapshotColumn{{"p", "1", "weight p_S = c_S^2 / C_D of a subset", "S", "(2.2)"},
                     [](const Snapshot& s) { return s.parameters.p(); },
                     nullptr,
                     "log_c_squared",
                     true,
                     true},
      SnapshotColumn{{"w", "1", "first-attention logits", "HM", "(2.1)"},
                     [](const Snapshot& s) { return s.parameters.w; },
                     [](Snapshot& s, std::span<const double> row) {
                       s.parameters.w.assign(row.begin(), row.end());
                     },
                     "",
                     true,
                     true},
      SnapshotColumn{{"attention", "1", "first attention sigma = softmax(w)", "HM", "(2.1)"},
                     [](const Snapshot& s) { return s.parameters.attention(); },
                     nullptr,
                     "w"},
      SnapshotColumn{{"a", "1", "second-attention scale", "", "(2.3)"},
                     [](const Snapshot& s) { return Row{s.parameters.a}; },
                     [](Snapshot& s, std::span<const double> row) { s.parameters.a = row.front(); },
                     "",
                     true,
                     true},
      SnapshotColumn{{"loss", "nats", "training loss", "", "(2.4)"},
                     number<&Snapshot::loss>,
                     set_number<&Snapshot::loss>,
                     "",
                     true,
                     true},
      SnapshotColumn{
          {"validation_loss", "nats", "loss on the validation chains", "", "absent without them"},
          number<&Snapshot::validation_loss>,
          set_number<&Snapshot::validation_loss>,
          "",
          true,
          false,
          true},
      SnapshotColumn{{"gradient_norm", "nats", "norm of the loss gradient over the trained blocks",
                      "", "Euclidean, in $(c,w,a)$"},
                     number<&Snapshot::gradient_norm>,
                     set_number<&Snapshot::gradient_norm>},
      SnapshotColumn{{"dissipated", "nats", "integral of the squared gradient norm over flow time",
                      "", "(3.5)"},
                     number<&Snapshot::dissipated>,
                     set_number<&Snapshot::dissipated>},
      SnapshotColumn{{"energy_residual", "nats", "loss(0) - loss(t) - dissipated(t)"},
                     number<&Snapshot::energy_residual>,
                     set_number<&Snapshot::energy_residual>},
      SnapshotColumn{{"log_normalizer", "1", "log C_D"},
                     [](const Snapshot& s) { return Row{s.parameters.log_normalizer()}; },
                     nullptr,
                     "",
                     false,
                     true},
  };
  return columns;
}

}  // namespace gihflow
