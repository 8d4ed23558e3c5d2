// The columns of a stage, see gihflow/record/schema.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "gihflow/record/schema.hpp"
#include "record/members.hpp"

namespace gihflow {

namespace {

std::vector<double> as_row(double number) {
  return {number};
}
std::vector<double> as_row(std::vector<double> numbers) {
  return numbers;
}

// The column of a member of a snapshot: a number, or a list of fixed size.
template <auto... path>
constexpr SnapshotColumn column(Description description, RecordedIn files = RecordedIn::runs) {
  const auto get = [](const Snapshot& snapshot) { return as_row(member<path...>(snapshot)); };
  const auto set = [](Snapshot& snapshot, std::span<const double> values) {
    if constexpr (std::is_same_v<decltype(member<path...>(snapshot)), double&>) {
      member<path...>(snapshot) = values.front();
    } else {
      member<path...>(snapshot).assign(values.begin(), values.end());
    }
  };
  return {description, get, set, "", files};
}

// A column that a member function computes from the parameters.
template <auto function>
constexpr SnapshotColumn derived(Description description, const char* follows_from,
                                 RecordedIn files = RecordedIn::runs) {
  const auto get = [](const Snapshot& snapshot) {
    return as_row((snapshot.parameters.*function)());
  };
  return {description, get, nullptr, follows_from, files};
}

// The column of a row of plain_arrays.
template <std::size_t row>
constexpr SnapshotColumn plain_column() {
  constexpr const PlainArray& array = plain_arrays[row];
  const auto get = [](const Snapshot& snapshot) {
    const std::span<const double> numbers = plain_arrays[row].in(snapshot.parameters);
    return std::vector<double>(numbers.begin(), numbers.end());
  };
  const auto set = [](Snapshot& snapshot, std::span<const double> values) {
    plain_arrays[row].assign(snapshot.parameters, values);
  };
  return {{array.name, array.meaning, "1", array.axes, array.formula},
          get,
          set,
          "",
          RecordedIn::runs_and_comparisons};
}

template <std::size_t first, std::size_t... rows>
constexpr auto plain_columns(std::index_sequence<rows...>) {
  return std::array{plain_column<first + rows>()...};
}

// A derived column that a flow conserves; older files may lack it.
template <auto function>
constexpr SnapshotColumn conserved(Description description, const char* follows_from,
                                   bool (*where)(const BlockSet&, const Parameters&)) {
  SnapshotColumn column = derived<function>(description, follows_from);
  column.conserved = where;
  column.added = true;
  return column;
}

constexpr SnapshotColumn with_set(SnapshotColumn column,
                                  void (*set)(Snapshot&, std::span<const double>)) {
  column.set = set;
  return column;
}

// Sets only the signs from c, which may have underflowed to ±0 and keeps its sign; |c| follows from
// θ.
void set_signs(Snapshot& snapshot, std::span<const double> c) {
  std::transform(c.begin(), c.end(), snapshot.parameters.c_sign.begin(),
                 [](double x) { return std::signbit(x) ? -1 : 1; });
}

void set_theta(Snapshot& snapshot, std::span<const double> theta) {
  snapshot.parameters.log_c_squared.assign(theta.begin(), theta.end());
  for (std::size_t s = 0; s < theta.size(); ++s) {
    if (std::isinf(theta[s]) && theta[s] < 0.0) snapshot.parameters.c_sign[s] = 0;
  }
}

using enum RecordedIn;
// w comes before columns that follow from it, and the other arrays after these.
constexpr std::array first_columns{
    column<&Snapshot::t>({"t", "flow time since the start of the stage", "flow time"}),
    with_set(derived<&Parameters::c>({"c", "coefficient c_S of a subset", "1", "S", "gauge-fixed"},
                                     "log_c_squared", runs_and_comparisons),
             set_signs),
    with_set(column<&Snapshot::parameters, &Parameters::log_c_squared>(
                 {"log_c_squared", "theta_S = log c_S^2", "1", "S",
                  "(3.3), gauge-fixed; exact where `c` underflows"}),
             set_theta),
    derived<&Parameters::p>({"p", "weight p_S = c_S^2 / C_D of a subset", "1", "S", "(2.2)"},
                            "log_c_squared", runs_and_comparisons),
    plain_column<0>(),
    derived<&Parameters::attention>(
        {"attention", "first attention sigma = softmax(w)", "1", "HM", "(2.1)"}, "w"),
};
constexpr std::array last_columns{
    conserved<&Parameters::balancedness>({"balancedness", "Q_h^T Q_h - K_h^T K_h", "1", "Hdd",
                                          "(3.8), conserved where Q_h and K_h both move"},
                                         "key",
                                         [](const BlockSet& blocks, const Parameters& shape) {
                                           for (Index h = 0; h < shape.heads; ++h)
                                             if (blocks.has('q', h) != blocks.has('k', h))
                                               return false;
                                           return true;
                                         }),
    conserved<&Parameters::key_sum>(
        {"key_sum", "1^T K_h, sums of K_h over tokens", "1", "Hd", "(3.8), conserved"}, "key",
        [](const BlockSet&, const Parameters&) { return true; }),
    conserved<&Parameters::value_sum>(
        {"value_sum", "V_h 1, row sums of V_h", "1", "Hd", "(3.8), conserved under layer norm"},
        "value", [](const BlockSet&, const Parameters& shape) { return !shape.gain.empty(); }),
    column<&Snapshot::loss>({"loss", "training loss", "nats", "", "(2.4)"}, runs_and_comparisons),
    column<&Snapshot::validation_loss>(
        {"validation_loss", "loss on the validation chains", "nats", "", "absent without them"},
        validated_runs),
    column<&Snapshot::gradient_norm>({"gradient_norm",
                                      "norm of the loss gradient over the trained blocks", "nats",
                                      "", "Euclidean, in $(c,w,a)$"}),
    column<&Snapshot::dissipated>({"dissipated",
                                   "integral of the squared gradient norm over flow time", "nats",
                                   "", "(3.5)"}),
    column<&Snapshot::energy_residual>(
        {"energy_residual", "loss(0) - loss(t) - dissipated(t)", "nats", "", "absolute"}),
    derived<&Parameters::log_normalizer>({"log_normalizer", "log C_D"}, "", comparisons),
};
constexpr auto columns =
    joined(first_columns, plain_columns<1>(std::make_index_sequence<plain_arrays.size() - 1>()),
           last_columns);

}  // namespace

std::span<const SnapshotColumn> snapshot_columns() {
  return columns;
}

}  // namespace gihflow
