#pragma once

// Plain structs that describe models, statistics, points and tasks: with those of moments.hpp the
// only types that the hot loops share with the rest of the program. No functions here: files
// compiled for several instruction sets include this header, and an inline function compiled for
// one set must never be linked into another.

#include <cstddef>
#include <cstdint>

namespace gihflow::hot {

/// Conventions and sizes of TF(M,H,d,D), letters as in theory §0.
struct ModelView {
  std::int64_t d, W, H, M;
  std::int64_t subsets;           ///< number of subsets [H]_{≤D}
  const std::uint32_t* masks;     ///< [subsets], bit h = head h
  const std::int32_t* parent;     ///< [subsets] index of S without its last head; −1 for ∅
  const std::int32_t* last;       ///< [subsets] that last head; −1 for ∅
  const std::int64_t* first_lag;  ///< [H], lag_h(1) − 1: 0 with shared windows, h with shifted
  std::int64_t patterns;  ///< window patterns: W + 1 with partial windows, else 1; with a table 0
  bool l2;
  bool softmax;
  double epsilon;
  bool rectify;          ///< (2.8)
  double rectify_width;  ///< δ
};

/// What (4.5) adds to a norm before dividing by it.
inline constexpr double norm_guard = 1e-7;

/// The fixed logit of the own position, and what layer norm adds to the variance and rms to the
/// mean square: (2.6), (2.8), (2.10).
inline constexpr double own_logit = 1e-6, variance_guard = 1e-5;

/// Above this spread of a·k over windows e^{a·k} would underflow for a chain that lacks the best
/// window: each chain is then shifted by its own maximum.
inline constexpr double widest_spread = 600.0;

/// Window pairs are handled in packs of this many; groups are padded to whole packs.
inline constexpr std::int64_t pack = 8;

/// Up to this many lists of entries, one for each (tile, token), branch prediction learns how long
/// each of them is. Where there are more, the lists of several tiles are joined, see TileBatch.
inline constexpr std::int64_t remembered_lists = 4096;

/// The hot loops keep the readouts of at most this many (tile, token) at once, or of one tile.
inline constexpr std::int64_t most_tile_tokens = 48;

/// Sufficient statistics (n, q, T) of §4 in tiles of `lanes` chains that share a query window.
///
/// group: chains with the same query q; its pairs (Z, q) are the windows Z that occur in any of its
/// chains, the last one repeated to fill a pack. With own tokens (4.6) (e, Z) stands for Z. tile:
/// `lanes` chains of one group; its entries are the (Z, e) that occur in any of them, ordered by
/// token e; count[entry, lane] = n(Z, e) of that lane's chain. Chains with the same counts share a
/// lane, whose T is the sum of theirs. Lanes beyond the last chain of a group repeat the tile's
/// first chain with T = 0.
struct StatisticsView {
  const std::int64_t* group_pairs;     ///< [groups + 1] first pair of each, multiples of the pack
  const std::int64_t* group_tiles;     ///< [groups + 1] first tile of each group
  const std::uint16_t* query_digits;   ///< [groups, W], digit j = token at lag j + 1
  const std::int32_t* query_existing;  ///< [groups] lags 1 … existing are not blank
  const std::uint16_t* pair_digits;    ///< [pairs / 8, W, 8]
  const std::int32_t* pair_existing;   ///< [pairs]
  const std::int64_t* tile_entries;    ///< [tiles · d + 1] first entry of (tile, token)
  const std::uint32_t* entry_pair;     ///< [entries] pair, counted from the group's first
  const void* entry_count;             ///< [entries, lanes] of the count type
  const double* targets;               ///< [tiles, d, lanes]
  bool batches;                        ///< the entries of several tiles are joined, see TileBatch
  std::int64_t most_pairs;             ///< of a group
  // Digits and `existing` are there without a table of windows, these with one:
  const std::uint32_t* pair_window;   ///< [pairs] row of the window in the table
  const std::uint32_t* query_window;  ///< [groups] row of the query
  const std::int64_t* segment_pairs;  ///< [segments + 1] pairs of all segments before; else null
};

/// Consecutive tiles of a group, all in the same block.
struct Segment {
  std::int64_t group, tile_begin, tile_end;
};

/// The model point, with the direction of differentiation for dual evaluation (null otherwise).
struct PointView {
  const double* p;      ///< [subsets]
  const double* sigma;  ///< [patterns, H, M], each window pattern's own attention (4.4)
  double a;
  const double* p_along;
  const double* sigma_along;
  double a_along;
};

/// The sums of a block, doubles; in dual evaluation all their derivatives follow. In this order:
/// loss; a, ΣB·k; p [subsets], ΣB·κ_S; sigma [patterns, H, M], ∂/∂σ. They are sums over chains: B
/// is that of (4.2) without the factor 1/N. ModelTables::gradient() makes derivatives of them.
inline constexpr std::int64_t partial_loss = 0, partial_a = 1, partial_p = 2;

/// A block of the engine on sufficient statistics: its segments and where its sums go.
struct BlockTask {
  const ModelView* model;
  const StatisticsView* statistics;
  const PointView* point;
  const Segment* segments;
  std::int64_t segment_count;
  std::int64_t first_segment;  ///< number of the first among all segments
  double* scratch;             ///< as many numbers as BlockFunctions::scratch says, 64-byte aligned
  double* partial;             ///< the sums are added to it, see partial_loss
  bool with_loss, with_gradient;
  bool with_weights, with_features;  ///< of the gradient: ∂/∂p, and what lies behind t_h
  // With a table of windows. In dual evaluation every pack of features and of pulls, and every
  // number of query_pulls, is followed by its derivatives.
  const double* features;  ///< u [H·d, packs, 8]
  std::int64_t packs;
  double* pulls;        ///< ∂/∂⟨u_h(Z), u_h(q)⟩ [pairs of all segments / 8, H, 8]
  double* query_pulls;  ///< ∂/∂u_h(q), summed over the pairs of a segment [segments, H, d]
};

using BlockFunction = void (*)(const BlockTask&);

/// Doubles of scratch that a block takes if its groups have at most `pairs` pairs.
using ScratchFunction = std::int64_t (*)(const ModelView&, std::int64_t pairs);

/// The functions for one instruction set: [features: relative, table][dual][lanes: 1, 8][count
/// bytes: 1, 2, 4].
struct BlockFunctions {
  BlockFunction run[2][2][2][3];
  ScratchFunction scratch[2][2];
};

/// The variant of a model between its parameters and the features of windows, (2.5)–(2.10), and
/// where each parameter begins in an array of `numbers` parameters.
struct FeatureModel {
  std::int64_t d, H, M, width;  ///< width: digits of a window
  const std::int64_t* digit;    ///< [H, M] digit of the lag that a component attends to; −1: none
  bool tokens, own_position, matrix, layer, l2, rms;
  bool attention_alone;  ///< attention depends on no token: derivatives in σ are wanted, too
  /// w [H, M]; QKᵀ [H, d + 1, d + 1], 0 in row and column d, for tokens that are not known or do
  /// not exist; V [H, d, d]; gain [d]; bias [d]; σ of the full window [H, M].
  std::int64_t w, scores, value, gain, bias, attention, numbers;
};

/// Features of packs [begin, end) of windows, or the way back from them. In dual evaluation every
/// number of the block and of the sums is followed by its derivative, every pack of u by its
/// derivatives.
struct FeatureTask {
  const FeatureModel* model;
  const std::uint16_t* digits;  ///< [windows, width]
  const std::uint16_t* own;     ///< [windows] the own token; d: none
  const std::int64_t* list;     ///< [packs, 8] windows of each pack; null: all in order
  std::int64_t begin, end, packs;
  const double* block;  ///< [numbers] parameters
  double* scratch;      ///< 64-byte aligned
  double* u;            ///< forward u [H·d, packs, 8], backward ∂/∂u [end − begin, H·d, 8]
  double* sums;         ///< backward: derivatives in the parameters [numbers]
};

/// Where a window of the table occurs: a pair of a segment, and that pair's query.
struct WindowUse {
  std::uint32_t query;  ///< number of the group
  std::int64_t slot;    ///< number of the pair among those of all segments
};

/// From BlockTask::pulls, the derivatives in the inner products of pairs, to ∂/∂u of the windows of
/// a table.
struct PullTask {
  std::int64_t d, H, windows;  ///< windows: without queries
  /// u of the queries [groups, H·d], in dual evaluation each number followed by its derivative;
  /// then eight numbers that may be read, but are not used.
  const double* query_features;
  const double* pulls;
  const std::int64_t* segment_pairs;
  std::int64_t whole_segments;  ///< number of segments whose pairs are all windows of the table
  const std::int64_t* whole_segment;  ///< their numbers
  const std::uint32_t* whole_query;   ///< their groups
  const std::int64_t* uses_begin;     ///< [windows + 1] where the uses of each window begin
  const WindowUse* uses;              ///< by pairs of the other segments
};

/// The functions for one instruction set, [dual] of each.
struct FeatureFunctions {
  void (*forward[2])(const FeatureTask&);
  void (*backward[2])(const FeatureTask&);
  /// Writes ∂/∂u of packs [begin, end) to u_bar [end − begin, H·d, 8]; room: scratch for H·d
  /// numbers.
  void (*collect[2])(const PullTask&, std::int64_t begin, std::int64_t end, double* u_bar,
                     double* room);
  std::int64_t (*scratch[2])(const FeatureModel&);
};

/// Eight numbers on a cache line, as arrays of the hot loops begin.
struct alignas(64) Line {
  double number[8];
};

/// Chains in infinite context whose laws lie side by side.
inline constexpr std::int64_t tile = 16;

/// Infinite context (5.1): some packs of queries, paired with all windows, for some chains.
/// Windows, and queries, which are windows, have the order of WindowLaws. In dual evaluation every
/// pack, and `sums` as a whole, is followed by its derivatives.
struct LawTask {
  const ModelView* model;
  const PointView* point;
  const double* features;  ///< u [H·d, packs, pack] of all windows
  std::int64_t windows, states;
  std::int64_t first, packs;  ///< the first pack of queries, and how many
  double* e;                  ///< [packs, windows, pack] E(Z, q)
  bool* wide;                 ///< [packs] a·k spreads so widely that e has a·k in place of E
  double* b;  ///< [packs, windows, pack] Σ over chains of B/E, or of B where the pack is wide
  // For `chains` alone:
  std::int64_t chains;         ///< at most a tile
  const double* law;           ///< [chains, stride] μ(Z), 0 behind the last window
  std::int64_t stride;         ///< number of windows, rounded up to whole packs
  const std::uint32_t* state;  ///< [stride] the state s of each window
  const double* next;          ///< [chains, d, states] T(e|s)
  bool with_loss, with_gradient;
  // For all:
  double* scratch;  ///< as many numbers as LawFunctions::scratch says, 64-byte aligned
  double* sums;     ///< loss, ΣB·k and ΣB·κ_S are added, see partial_loss
  double* u_bar;    ///< ∂/∂u [packs, H·d, pack] of all windows is added
};

/// The functions for one instruction set, [dual] of each: `forward` writes E; `chains` goes from E
/// to the loss and b; `backward` from b to the other sums and ∂/∂u.
struct LawFunctions {
  void (*forward[2])(const LawTask&);
  void (*chains[2])(const LawTask&);
  void (*backward[2])(const LawTask&);
  std::int64_t (*scratch[2])(const LawTask&);
};

}  // namespace gihflow::hot
