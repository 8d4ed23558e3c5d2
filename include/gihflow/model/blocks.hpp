#pragma once

// Table of the blocks that training may move: c, integrated as θ = log c² (3.3), and the plain
// ones, integrated as they are. Points, gradients, standard errors, states, files and messages loop
// over this table; a new block is a member of PlainBlocks and a row of plain_arrays.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/model/model.hpp"

namespace GIHFLOW_API gihflow {

/// The arrays of all plain blocks, or their derivatives, standard errors or directions. Arrays that
/// the model does not have are empty.
struct PlainBlocks {
  std::vector<double> w;      ///< [H, M] logits of the first attention, (2.1)
  double a = 0.0;             ///< scale of the second attention, (2.3)
  std::vector<double> query;  ///< Q [H, d, d], (2.6)
  std::vector<double> key;    ///< K [H, d, d], (2.6)
  std::vector<double> value;  ///< V [H, d, d], (2.7)
  std::vector<double> gain;   ///< γ [d], (2.8)
  std::vector<double> bias;   ///< β [d], (2.8)

  bool operator==(const PlainBlocks&) const = default;
};

/// Upper bound of the magnitude of entries of matrices and vectors: beyond it, squares of products
/// of two of them would overflow, and with a norm that is infinite a head would see nothing.
inline constexpr double largest_entry = 1e70;

/// The magnitude that an integration error in an entry x of a block is compared with. one: max(|x|,
/// 1), for logits; itself: |x|; largest: the largest |x| of its head's matrix, or of the vector.
enum class ErrorScale { one, itself, largest };

/// A row of the table of plain arrays. All arrays with the same letter form one block.
struct PlainArray {
  char letter;          ///< of the block, as in `--stages`
  const char* name;     ///< in files
  const char* axes;     ///< "HM": [H, M]; "Hdd": [H, d, d]; "d": [d]; "": a number
  const char* meaning;  ///< for files and documentation
  const char* formula;
  const char* error_meaning;  ///< of its standard error
  ErrorScale scale;
  bool (*present)(const Model&);  ///< whether a model has it
  Field option;                   ///< setting that gives it to a model; none: all models have it
  const char* choice;             ///< of that setting
  std::span<double> (*of)(PlainBlocks&);
  std::span<const double> (*in)(const PlainBlocks&);
  void (*assign)(PlainBlocks&, std::span<const double>);
};

namespace detail {
template <auto member>
constexpr PlainArray plain_array(char letter, const char* name, const char* axes,
                                 const char* meaning, const char* formula,
                                 const char* error_meaning, ErrorScale scale,
                                 bool (*present)(const Model&), Field option = Field::none,
                                 const char* choice = "") {
  return {letter,
          name,
          axes,
          meaning,
          formula,
          error_meaning,
          scale,
          present,
          option,
          choice,
          [](PlainBlocks& x) { return std::span<double>(x.*member); },
          [](const PlainBlocks& x) { return std::span<const double>(x.*member); },
          [](PlainBlocks& x, std::span<const double> values) {
            (x.*member).assign(values.begin(), values.end());
          }};
}
constexpr bool always(const Model&) {
  return true;
}
constexpr bool with_token_scores(const Model& m) {
  return m.scores == Scores::tokens;
}
constexpr bool with_values(const Model& m) {
  return m.values == HeadValues::matrix;
}
constexpr bool with_layer_norm(const Model& m) {
  return m.head_normalization == HeadNormalization::layer;
}
}  // namespace detail

/// All plain arrays in the order of states and files; c comes before them.
inline constexpr std::array<PlainArray, 7> plain_arrays{{
    detail::plain_array<&PlainBlocks::w>('w', "w", "HM", "first-attention logits", "(2.1)",
                                         "standard error of the gradient in w", ErrorScale::one,
                                         detail::always),
    {'a', "a", "", "second-attention scale", "(2.3)", "standard error of the gradient in a",
     ErrorScale::itself, detail::always, Field::none, "",
     [](PlainBlocks& x) { return std::span<double>(&x.a, 1); },
     [](const PlainBlocks& x) { return std::span<const double>(&x.a, 1); },
     [](PlainBlocks& x, std::span<const double> values) { x.a = values.front(); }},
    detail::plain_array<&PlainBlocks::query>(
        'q', "query", "Hdd", "query matrices Q_h", "(2.6)", "standard error of the gradient in Q_h",
        ErrorScale::largest, detail::with_token_scores, Field::scores, "tokens"),
    detail::plain_array<&PlainBlocks::key>(
        'k', "key", "Hdd", "key matrices K_h", "(2.6)", "standard error of the gradient in K_h",
        ErrorScale::largest, detail::with_token_scores, Field::scores, "tokens"),
    detail::plain_array<&PlainBlocks::value>(
        'v', "value", "Hdd", "value matrices V_h", "(2.7)", "standard error of the gradient in V_h",
        ErrorScale::largest, detail::with_values, Field::values, "matrix"),
    detail::plain_array<&PlainBlocks::gain>('n', "gain", "d", "gain of the layer norm", "(2.8)",
                                            "standard error of the gradient in the gain",
                                            ErrorScale::largest, detail::with_layer_norm,
                                            Field::head_normalization, "layer"),
    detail::plain_array<&PlainBlocks::bias>('n', "bias", "d", "bias of the layer norm", "(2.8)",
                                            "standard error of the gradient in the bias",
                                            ErrorScale::largest, detail::with_layer_norm,
                                            Field::head_normalization, "layer"),
}};

/// Shape of an array in a model, empty for a number; also for an array that the model does not
/// have.
std::vector<Index> shape_of(const PlainArray& array, const Model& model);
/// Number of its entries; 0 if the model does not have it.
Index size_of(const PlainArray& array, const Model& model);
/// Letters of all blocks that a model may have, c first.
const std::string& all_block_letters();
/// Letters of the blocks of a model, "cwa" or more.
std::string letters_of(const Model& model);
/// Arrays of the model's sizes, all zero.
PlainBlocks zero_blocks(const Model& model);
/// Arrays of the same sizes, all zero.
PlainBlocks zeros_like(const PlainBlocks& blocks);
/// Σ x·y over all arrays.
double dot(const PlainBlocks& x, const PlainBlocks& y);

/// The blocks that a stage trains, as a whole or only some heads or sets of them.
class BlockSet {
 public:
  BlockSet() = default;
  /// Letters, each once, in any order. A letter may be followed by the part of the block that is
  /// trained: heads of w, q, k and v, "w[1,3]", or sets of c, "c{1,2}{3}". Throws InputError for an
  /// unknown or repeated letter, head or set, or a malformed list.
  BlockSet(std::string_view text);
  /// \overload
  BlockSet(const char* text) : BlockSet(std::string_view(text)) {}

  /// Whether at least a part of the block is trained.
  bool has(char letter) const { return letters_.find(letter) != std::string::npos; }
  /// Whether exactly this block is trained, as a whole.
  bool is_only(char letter) const { return text() == std::string(1, letter); }
  /// Whether nothing is trained.
  bool empty() const { return letters_.empty(); }
  /// Whether row `head` (0-based) of the block's arrays is trained.
  bool has(char letter, Index head) const;
  /// Whether c_S is trained, S as a mask of heads, see subsets().
  bool has_set(std::uint32_t set) const;
  /// Letters in the order of the table: "cwa".
  const std::string& letters() const { return letters_; }
  /// The text that the constructor parses: "cwa", "cw[1]", "c{1,2}a".
  std::string text() const;
  /// One predicate for each block, head or set that the model does not have, "names head 4; the
  /// model has 3"; the caller puts the subject before it.
  std::vector<std::string> faults(const Model& model) const;

  bool operator==(const BlockSet&) const = default;

 private:
  struct Part {
    char letter;
    std::vector<Index> heads;         ///< 0-based, increasing
    std::vector<std::uint32_t> sets;  ///< of c, in the order of subsets()
    bool operator==(const Part&) const = default;
  };
  std::string letters_;
  std::vector<Part> parts_;  ///< of blocks that are trained in part
};

/// A contiguous part of an array that is trained: all of it, or the row of one head.
struct MovingPart {
  const PlainArray* array;
  Index head;   ///< 0-based; −1 for an array without heads
  Index begin;  ///< first entry in the flat array
  Index size;

  /// Its entries in `blocks`, which have the sizes that moving_parts() was given.
  std::span<double> of(PlainBlocks& blocks) const {
    return array->of(blocks).subspan(static_cast<std::size_t>(begin),
                                     static_cast<std::size_t>(size));
  }
  /// \overload
  std::span<const double> in(const PlainBlocks& blocks) const {
    return array->in(blocks).subspan(static_cast<std::size_t>(begin),
                                     static_cast<std::size_t>(size));
  }
  /// Name of its i-th entry (0-based) for messages, indices from 1: "w[1,2]" of head 1 at component
  /// 2, "a", "query[1,2,3]".
  std::string name(Index i) const;
};
/// The trained parts of the plain arrays, in the order of the table, row by row; logits of lags
/// that a head does not have (−∞) are left out.
std::vector<MovingPart> moving_parts(const BlockSet& blocks, const PlainBlocks& sizes, Index heads);

}  // namespace gihflow
